// Whether a server can keep what the store promises, judged on every connection that is made, before it is used; and
// whether it is the one that was there before, with all that was acknowledged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stores/redis/value.h"

namespace onceward::redis {

enum class durability {
  synced,   // An acknowledged command survives power loss of the server, not the loss of its disk.
  written,  // It survives the end of the server's process, but for the last two seconds, and so it does power loss.
  memory,   // It is lost with the server's process.
};

std::string_view to_string(durability level);

struct server_facts {
  std::string version;  // For people.
  std::string run_id;
  std::string role;
  bool is_cluster = false;
  bool is_loading = false;
  bool append_only = false;
  bool append_failed = false;
  std::string append_sync;         // Empty where the server does not tell.
  std::string no_sync_on_rewrite;  // The same.
  std::string eviction;
  std::uint64_t memory_limit = 0;
  std::uint64_t replicas = 0;
  std::string history;         // The replication id.
  std::string history_before;  // The one that it had until it was promoted.
  std::int64_t offset = 0;
  std::int64_t offset_shared = -1;  // Up to there, exclusively, the two are the same.
};

// From the replies to INFO, and to CONFIG GET of appendfsync and no-appendfsync-on-rewrite, which may be an error.
std::optional<server_facts> read_server_facts(const value& info, const value& config);

// What the operator has to change before the server can be used; nothing if it can.
std::optional<std::string> objection_to(const server_facts& facts, durability level, bool cluster_expected);

// What was known of the server that served a part of the keys.
struct known_history {
  std::string id;
  std::int64_t offset = 0;  // The highest at which something was acknowledged.
  std::string run_id = {};  // Of the process that served it.
};

enum class succession {
  first,      // Nobody was known before.
  same,       // The same, with all that it acknowledged.
  promoted,   // Another, which has all that we know to be acknowledged.
  restarted,  // It began a history of its own: whether it has everything is for its disk to say.
  lacking,    // It lacks some of it.
};
succession succession_of(const known_history& before, const server_facts& now);

}  // namespace onceward::redis
