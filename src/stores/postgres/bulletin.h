// The connection on which gateways tell each other whose attempts ended: it listens, and it notifies.
//
// Notifications are sent after what they tell of is committed, in transactions of their own: one that is made with a
// change would make the commits of all gateways wait for each other. So one can be lost; whoever waits is told to look
// again whenever that may have happened here, and looks again by itself when a lease ends.
#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "stores/postgres/connection.h"
#include "stores/postgres/store_parts.h"

namespace onceward::postgres {

class bulletin final : private connection_user {
 public:
  // Called for what others told: the keys, or nothing for "any record may have changed".
  using listener = std::function<void(std::span<const record_key> keys)>;

  bulletin(const connection_settings& settings, listener told, std::function<base::moment()> now);

  // Queues; beyond a bound the others are told that any record may have changed.
  void tell(const record_key& key);

  connection& link() { return connection_; }
  void work();

 private:
  void on_connected(const server_facts& facts) override;
  void on_batch(batch_end end, std::vector<statement_result> results) override;
  void on_notification(std::string_view text) override;
  void on_lost(const std::string& why) override;

  const listener told_;
  const std::function<base::moment()> now_;
  std::vector<record_key> keys_;
  std::string under_way_;    // Sent, and not yet known to be committed.
  bool everything_ = false;  // More than `keys_` is to be told.
  connection connection_;
};

}  // namespace onceward::postgres
