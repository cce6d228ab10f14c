// The store that keeps its records in Redis or Valkey, shared by all gateways that use it: one server, a primary behind
// sentinels, or a cluster.
//
// The server decides: each command is a script on the one key of its record, judged by the server's clock alone.
// Commands that queue while a batch is under way go out in the next. A command is acknowledged when the server
// answered, which at the configured durability is when its log is synced; every connection is verified to keep that
// before it is used. What is under way when a connection is lost is answered indefinite, what was not sent definite;
// connections come back by themselves.
//
// Replication is asynchronous in Redis: where another server takes over, it may lack what was acknowledged last.
// wait_replicas narrows that down and cannot rule it out.
//
// It has one thread, which carries a few connections for each server, and takes name lookups on itself.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "onceward/store.h"
#include "stores/redis/server_facts.h"
#include "stores/redis/target.h"

namespace onceward::redis {

// What an operator may want to know of: the store reached a server again, or lost it, or found another one in its place
// (a replica that was promoted, a server that began anew), which may lack what the one before acknowledged. Of that it
// tells when all replies of the one before are delivered, and before it sends a command to the other. It is ready when
// commands of all keys are taken again.
struct event {
  enum class kind { connected, lost, server_changed, ready };
  kind what;
  std::string detail;
  bool is_lacking = false;  // Of server_changed: it is known to lack some of it.
};

struct options {
  target_words where;
  durability level = durability::synced;
  std::uint32_t wait_replicas = 0;  // So many have to have a change before it is acknowledged.
  std::size_t lanes = 1;            // Connections to each server that carry commands; one more counts and purges.
  std::size_t commands_queued_max = 100'000;
  std::size_t command_bytes_max = std::size_t{64} << 20;
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds answer_timeout{10'000};
  std::chrono::milliseconds wait_timeout{1'000};  // For replicas.
  std::function<void(const event&)> tell;         // On the store's thread; may be empty.
};

class redis_store final : public store {
 public:
  // Connects and verifies before it returns. The error is a sentence for the operator, without credentials.
  static tl::expected<std::unique_ptr<redis_store>, std::string> open(options chosen);

  // Ends what is under way, within a bound, and answers what is outstanding. No command is submitted during or after
  // this.
  ~redis_store() override;

  void submit(command what, reply_sink& sink, std::uint64_t tag) override;
  // As of the last count: seconds old, or some fiftieth of the time that a count takes.
  store_statistics statistics() const override;
  void observe(record_observer* observer) override;

  // What was agreed on with agree_on_secret(), to be looked after from now on.
  void keep_secret(std::string kept);

  // Counts now, and waits for it.
  void count();

  // "Redis 7.0.15 at db:6379, synced".
  const std::string& description() const;

 private:
  class engine;
  explicit redis_store(std::unique_ptr<engine> running);

  std::unique_ptr<engine> engine_;
};

}  // namespace onceward::redis
