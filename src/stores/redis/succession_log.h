// What is known of the histories of the servers, so that one which takes another's place is noticed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stores/redis/server_facts.h"
#include "stores/redis/slots.h"

namespace onceward::redis {

class succession_log {
 public:
  struct change {
    std::string detail;
    bool is_lacking;
  };

  // One server takes another's place; of a cluster, each its own.
  explicit succession_log(bool is_cluster) : is_cluster_(is_cluster) {}

  // A connection was made: what there is to tell.
  std::optional<change> connected(const address& server, const server_facts& facts);
  // What was acknowledged is in that history up to there.
  void acknowledged(const std::string& history, std::int64_t offset);

 private:
  struct part {
    address server;
    known_history known;
  };

  static constexpr std::size_t parts_max = 1'024;

  part* predecessor(const address& server, const server_facts& facts);

  const bool is_cluster_;
  std::vector<part> parts_;
};

}  // namespace onceward::redis
