// One connection with the commands of its share of the record keys: whatever queued while a batch was under way is the
// next batch. Commands for one key stay in their order.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "stores/redis/connection.h"
#include "stores/redis/order.h"
#include "stores/redis/store_parts.h"

namespace onceward::redis {

struct lane_settings {
  encoding how;
  std::uint32_t wait_replicas = 0;
  std::chrono::milliseconds wait_timeout{1'000};
  bool may_fail_over = false;  // The server is one of several that take its place.
};

class lane final : private connection_user {
 public:
  // `node` of a cluster, or nothing. What is borrowed outlives it.
  lane(const connection_settings& settings, const lane_settings& chosen, std::optional<address> node,
       store_parts& parts);

  void submit(order what);

  connection& link() { return connection_; }
  // Sends what it can, and refuses what has waited too long.
  void work();
  bool is_quiet() const { return queue_.empty() && sent_.empty(); }
  // Hands out what was not sent: the node is no longer one of the cluster's.
  std::deque<order> take_queue();
  // Answers everything: what was not sent, definite.
  void give_up();

 private:
  void on_connected(const server_facts& facts) override;
  void on_replies(std::vector<value> replies) override;
  void on_lost(const std::string& why) override;

  void add(requests& into, order& next) const;
  bool replicas_have_it(const std::vector<value>& replies, std::size_t& place);
  void settle(order what, value& told, bool replicated, std::deque<order>& again);
  void settle_error(order what, const value& told, std::deque<order>& again);
  void settle_script(order what, const value& told, bool replicated, std::deque<order>& again);
  void settle_response(order what, value& told);
  void conclude(const order& what, const script_reply& found, bool replicated);
  void refuse(order& what, store_failure why);
  void refuse_queue(errc reason);

  store_parts& parts_;
  const lane_settings& chosen_;
  const std::chrono::milliseconds queue_timeout_;
  std::deque<order> queue_;
  std::vector<order> sent_;
  bool asked_replicas_ = false;
  bool asked_offset_ = false;
  connection connection_;
};

}  // namespace onceward::redis
