// The connection on which a gateway hears whose attempts ended at others: their lanes tell it, and it listens.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "stores/redis/connection.h"

namespace onceward::redis {

class bulletin final : private connection_user {
 public:
  // Called for what others told: the keys, or nothing for "any record may have changed".
  using listener = std::function<void(std::span<const record_key> keys)>;

  bulletin(const connection_settings& settings, std::string sender, listener told);

  connection& link() { return connection_; }
  // Passes on what was heard since the last call.
  void work();

 private:
  void on_connected(const server_facts& facts) override;
  void on_replies(std::vector<value> replies) override;
  void on_message(std::string_view word) override;
  void on_lost(const std::string& why) override;

  const std::string sender_;
  const listener told_;
  std::vector<record_key> heard_;
  connection connection_;
};

}  // namespace onceward::redis
