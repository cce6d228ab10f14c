// What a gateway is told to be: plain values, filled from the configuration file and the command line and never changed
// after start.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/policy.h"
#include "gateway/log.h"

namespace onceward::gateway {

struct host_and_port {
  std::string host;
  std::uint16_t port = 0;
};

// An upstream server: "http://HOST:PORT". A path prefix is refused when the configuration is read.
struct upstream_address {
  std::string host;
  std::uint16_t port = 80;
};

enum class durability { synced, written };

// Whether a worker that has nothing else to do writes to the journal by itself.
enum class idle_workers_commit { when_quick, never };

struct journal_store_settings {
  std::string path = "./data";
  gateway::durability durability = gateway::durability::synced;
  std::uint64_t bytes_limit = std::uint64_t{8} << 30;
  gateway::idle_workers_commit idle_workers_commit = gateway::idle_workers_commit::when_quick;
};
struct memory_store_settings {
  std::uint64_t bytes_limit = std::uint64_t{1} << 30;
};

// Of a store on servers of its own.
enum class shared_durability { synced, replicated };

// What becomes of the records that were acknowledged last when another server answers than before.
enum class after_failover {
  unknown,  // They are looked for; what is missing is unknown from then on.
  trust,    // It is taken that the other server has them all.
};
struct failover_settings {
  std::chrono::milliseconds loss_window{10'000};
  after_failover then = after_failover::unknown;
};

struct postgres_store_settings {
  std::string url;  // May hold a password: never shown.
  shared_durability durability = shared_durability::synced;
  failover_settings on_failover;
};

enum class redis_durability { synced, written, memory };

struct redis_sentinel_settings {
  std::string master;  // Empty for no sentinels.
};
struct redis_store_settings {
  std::vector<std::string> urls;  // May hold a password: never shown.
  redis_durability durability = redis_durability::synced;
  unsigned wait_replicas = 0;
  redis_sentinel_settings sentinel;
  bool cluster = false;
  std::string password_file;
  std::string ca_file;
  failover_settings on_failover;
};
using store_settings =
    std::variant<journal_store_settings, memory_store_settings, postgres_store_settings, redis_store_settings>;

struct route {
  std::string path;                  // Pattern: `*` is one segment, `**` any number. Never empty.
  std::vector<std::string> methods;  // The route matches these only; empty for all.
  core::policy rules;
};

// What a proxy that faces the internet must bound, and the status of whoever exceeds it.
struct timeout_settings {
  std::chrono::milliseconds client_head{10'000};        // From a message's first byte to the end of its head: 408.
  std::chrono::milliseconds client_body{30'000};        // Between two pieces of the body: 408.
  std::chrono::milliseconds client_idle{60'000};        // Between two messages: closed.
  std::chrono::milliseconds client_write{30'000};       // A client that takes no byte for so long: closed.
  std::chrono::milliseconds upstream_connect{2'000};    // 502, definite.
  std::chrono::milliseconds upstream_response{60'000};  // From the request's last byte to the response's head: 504.
  std::chrono::milliseconds upstream_body{30'000};      // Between two pieces of the response: 504.
  std::chrono::milliseconds upstream_idle{30'000};      // A pooled connection unused for so long is closed.
  std::chrono::milliseconds idle_reuse_max{2'000};      // ... and for a guarded request not reused after so long.
  std::chrono::milliseconds tunnel_idle{3'600'000};     // An upgraded connection on which no byte moves is closed.
  std::chrono::milliseconds drain{20'000};              // From SIGTERM to the end, whatever still runs.
};

struct limit_settings {
  std::size_t connections_max = 16'384;                         // Beyond it: 503 and closed.
  std::size_t target_bytes_max = 8'192;                         // 414
  std::size_t header_bytes_max = 32'768;                        // 431
  std::size_t header_fields_max = 100;                          // 431
  std::size_t unguarded_body_bytes_max = std::size_t{1} << 40;  // Streamed: 413.
  std::size_t waiters_max = 100'000;                            // 409 in-flight at once.
  std::size_t waiters_per_key_max = 10'000;
  std::size_t waiters_per_scope_max = 10'000;
  std::size_t upstream_connections_max = 1'024;  // For each address and worker; beyond it requests queue.
  std::size_t upstream_queue_max = 16'384;       // 503
  std::size_t upstream_idle_max = 128;           // Pooled, for each address and worker.
};

struct health_settings {
  int failures_to_eject = 3;  // Connects that failed in a row.
  std::chrono::milliseconds ejected_for{5'000};
};

struct log_settings {
  log_level level = log_level::info;
  bool requests = false;  // A line for each request.
};

struct settings {
  host_and_port listen{"127.0.0.1", 8080};
  std::optional<host_and_port> admin = host_and_port{"127.0.0.1", 9901};  // Nothing: no admin listener.
  std::vector<upstream_address> upstreams;
  store_settings store;
  std::optional<std::string> secret_file;
  std::string lookup_prefix = "/.onceward/";  // Of the status lookup; empty switches it off.
  std::vector<std::string> trusted_peers;     // Addresses or networks whose scope header is believed.
  unsigned workers = 0;                       // 0: one for each processor.
  std::vector<route> routes;                  // The first that matches.
  core::policy defaults;                      // What matches none.
  timeout_settings timeouts;
  limit_settings limits;
  health_settings health;
  log_settings log;
};

}  // namespace onceward::gateway
