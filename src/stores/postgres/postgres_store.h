// The store that keeps its records in a PostgreSQL database, shared by all gateways that use it.
//
// The server decides: each command is one statement, judged by the server's clock alone. Commands that queue while a
// batch is under way go out in the next, and a batch is one transaction. A command is acknowledged when its transaction
// is committed at the configured durability; every connection is verified to keep it before it is used. What is under
// way when a connection is lost is answered indefinite, what was not sent definite; connections come back by
// themselves.
//
// It has one thread, which carries a few connections, and takes libpq's name lookups on itself.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "onceward/store.h"
#include "stores/postgres/server_facts.h"

namespace onceward::postgres {

// What an operator may want to know of: the store reached the server again, or lost it, or found another one in its
// place (a standby that was promoted, a backup that was restored), which may lack what the one before acknowledged. Of
// that it tells when all replies of the one before are delivered, and before it sends a command to the other. It is
// ready when commands of all keys are taken again.
struct event {
  enum class kind { connected, lost, server_changed, ready };
  kind what;
  std::string detail;
};

struct options {
  std::string url;
  durability level = durability::synced;
  std::size_t lanes = 4;  // Connections that may carry commands, no more of them than are needed; two more do the rest.
  std::size_t commands_queued_max = 100'000;
  std::size_t command_bytes_max = std::size_t{64} << 20;
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds answer_timeout{10'000};
  std::chrono::milliseconds statement_timeout{5'000};
  std::chrono::milliseconds lock_timeout{2'000};
  std::chrono::milliseconds purge_margin{60'000};  // Longer than statement_timeout.
  std::function<void(const event&)> tell;          // On the store's thread; may be empty.
};

class postgres_store final : public store {
 public:
  // Connects and verifies before it returns. The error is a sentence for the operator, without credentials.
  static tl::expected<std::unique_ptr<postgres_store>, std::string> open(options chosen);

  // Ends what is under way, within a bound, and answers what is outstanding. No command is submitted during or after
  // this.
  ~postgres_store() override;

  void submit(command what, reply_sink& sink, std::uint64_t tag) override;
  // As of the last count: seconds old, or some fiftieth of the time that a count takes.
  store_statistics statistics() const override;
  void observe(record_observer* observer) override;

  // Counts now, and waits for it.
  void count();

  // "PostgreSQL 15.1 at db:5432/payments, synced".
  const std::string& description() const;

 private:
  class engine;
  explicit postgres_store(std::unique_ptr<engine> running);

  std::unique_ptr<engine> engine_;
};

}  // namespace onceward::postgres
