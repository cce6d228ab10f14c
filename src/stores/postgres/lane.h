// One connection with the commands of its share of the record keys: whatever queued while a batch was under way is the
// next batch.
//
// A batch is sent in the order of the record keys, so that batches of two gateways can wait for each other but never in
// a circle; commands for one key stay in their order. It is as long as goes out in one piece: a process that is
// stopped never leaves half a batch, and its locks, with the server.
#pragma once

#include <deque>
#include <vector>

#include "stores/postgres/connection.h"
#include "stores/postgres/store_parts.h"

namespace onceward::postgres {

class lane final : private connection_user {
 public:
  // Both outlive it.
  lane(const connection_settings& settings, store_parts& parts);

  // A claim, renewal, completion, release or find.
  void submit(pending_command what);

  connection& link() { return connection_; }
  // Sends what it can, and refuses what has waited too long.
  void work();
  bool is_quiet() const { return queue_.empty() && sent_.empty() && parked_ == 0; }
  // Answers everything: what was not sent, definite.
  void give_up();

 private:
  void on_connected(const server_facts& facts) override;
  void on_batch(batch_end end, std::vector<statement_result> results) override;
  void on_notification(std::string_view) override {}
  void on_lost(const std::string& why) override;

  std::vector<pending_command> take_batch();
  void settle(pending_command what, const statement_result& result, batch_end end);
  void send_again(pending_command what, errc reason);
  // Nothing of the batch took effect: whatever was in it is sent again, each command by itself.
  void take_apart(std::vector<pending_command> batch, const std::vector<statement_result>& results);
  void refuse(pending_command what, const statement_result& why);
  void park_for_day(pending_command what);
  void refuse_queue(errc reason);

  store_parts& parts_;
  const std::chrono::milliseconds queue_timeout_;
  std::deque<pending_command> queue_;
  std::vector<pending_command> sent_;
  std::size_t parked_ = 0;  // Commands that wait for a partition.
  connection connection_;
};

}  // namespace onceward::postgres
