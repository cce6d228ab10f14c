// One connection with the commands that are given to it: whatever queued while a batch was under way is the next batch.
// Commands for one key stay in their order.
//
// Statements that claim or complete many records lock them in the order of their keys, and those for one record follow
// in that order, so that batches of two gateways wait for each other but hardly ever in a circle; the server ends that,
// and the batch is taken apart.
#pragma once

#include <deque>
#include <optional>
#include <tuple>
#include <vector>

#include "stores/postgres/batch.h"
#include "stores/postgres/connection.h"
#include "stores/postgres/store_parts.h"

namespace onceward::postgres {

class lane final : private connection_user {
 public:
  // Both outlive it.
  lane(const connection_settings& settings, store_parts& parts);

  // Its next batch has room and will be sent soon. The more a batch carries, the less each command costs.
  bool takes_more() const;
  // To compare: whether it lacks its connection, and how much waits.
  std::tuple<bool, std::size_t> load() const { return {!connection_.is_connected(), queue_bytes_}; }
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

  void settle_many(batch_part part, const statement_result& result, batch_end end);
  void settle_one(pending_command what, const statement_result& result, batch_end end);
  void settle(pending_command what, const std::optional<found_record>& found, batch_end end);
  void send_again(pending_command what, errc reason);
  // Nothing of the batch took effect: whatever was in it is sent again, each command by itself.
  void take_apart(batch failed, const std::vector<statement_result>& results);
  void refuse(pending_command what, const statement_result& why);
  void park_for_day(pending_command what);
  void refuse_sent(errc reason);
  void refuse_queue(errc reason);

  store_parts& parts_;
  const std::chrono::milliseconds queue_timeout_;
  std::deque<pending_command> queue_;
  std::size_t queue_bytes_ = 0;  // On the wire.
  base::moment sent_at_{};
  batch sent_;
  std::size_t parked_ = 0;  // Commands that wait for a partition.
  connection connection_;
};

}  // namespace onceward::postgres
