// One connection with the commands of its share of the record keys. A few batches may be under way, so that the server
// has the next one when it has done with one; what queues meanwhile is another. Commands for one key stay in their
// order.
//
// Behind the commands of a batch that may have ended attempts, other gateways are told to look at their records.
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
  bool gathers = false;        // All keys are at one server, so that one script may carry out several commands.
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

  // What one script carries out: one order, or several claims, or several completions.
  using part = std::vector<order>;
  struct batch {
    std::vector<part> parts;
    bool tells_others = false;
    bool asks_replicas = false;
    bool asks_offset = false;
  };

  void send_batch();
  std::vector<order> take_orders();
  std::vector<part> parts_of(std::vector<order> orders) const;
  void add_part(requests& into, part& next);
  void add(requests& into, order& next) const;
  // Of what comes after the replies to the orders.
  bool replicas_have_it(const batch& sent, const std::vector<value>& replies, std::size_t& place);
  void settle(order what, value& told, bool replicated, std::deque<order>& again);
  void settle_error(order what, const value& told, std::deque<order>& again);
  void settle_script(order what, const value& told, bool replicated, std::deque<order>& again);
  void settle_response(order what, value& told, std::deque<order>& again);
  void settle_part(part done, value& told, bool replicated, std::deque<order>& again);
  void settle_found(order what, script_reply found, bool replicated, std::deque<order>& again);
  void conclude(order what, const script_reply& found, bool replicated, std::deque<order>& again);
  void refuse(order& what, store_failure why);
  void refuse_queue(errc reason);

  store_parts& parts_;
  const lane_settings& chosen_;
  const std::chrono::milliseconds queue_timeout_;
  std::deque<order> queue_;
  std::deque<batch> sent_;  // The oldest first.
  bool with_text_ = false;  // The server does not know the scripts for many commands.
  connection connection_;
};

}  // namespace onceward::redis
