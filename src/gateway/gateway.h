// The gateway as a whole: workers that share nothing but a store, each on a thread of its own, and the admin listener.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "core/secret.h"
#include "gateway/counters.h"
#include "gateway/log.h"
#include "gateway/route_table.h"
#include "gateway/settings.h"
#include "io/waiting_room.h"
#include "net/address.h"
#include "onceward/store.h"

namespace onceward::gateway {

class worker;

// Everything that metrics are made of, at one moment.
struct gateway_numbers_view {
  std::vector<const worker_counters*> workers;  // Live: they count on while they are read.
  std::size_t waiters;
  store_statistics records;
  bool ready;
};

// What a gateway is made from; all but the function is borrowed and outlives it.
struct gateway_parts_view {
  const settings& config;
  const route_table& routes;
  store& records;
  const core::deployment_secret& secret;
  logger& log;
  // What /metrics answers; called on a worker's thread.
  std::function<std::string(const gateway_numbers_view&)> metrics_text;
};

class gateway {
 public:
  explicit gateway(gateway_parts_view parts);
  gateway(const gateway&) = delete;
  gateway& operator=(const gateway&) = delete;
  // Stops first. By then the store has answered every command, or is closed: it has nobody to tell any more.
  ~gateway();

  // Listens and starts the workers. The error is a sentence for whoever configured the addresses.
  tl::expected<void, std::string> start();

  // Accepting requests, and the store takes claims.
  bool is_ready() const;

  // Any thread, once. Not ready from here on, accepts no connection, finishes what runs within the configured bound,
  // then stops. `on_stopped` is called on a worker's thread when the last one has.
  void begin_drain(std::function<void()> on_stopped = nullptr);

  // Any thread. Stops at once: what is under way is given up, and its outcome is unknown.
  void stop_now();

  // Returns when all workers have stopped.
  void wait();

  // The addresses that are listened on, for settings that left the port open.
  const net::address& listen_address() const { return listen_address_; }
  const net::address& admin_address() const { return admin_address_; }

  gateway_numbers_view numbers() const;

 private:
  friend class worker;

  // Wakes those who wait here for what ended in another gateway on the same store.
  class ends_elsewhere final : public record_observer {
   public:
    explicit ends_elsewhere(io::waiting_room& waiters) : waiters_(waiters) {}
    void attempts_ended(std::span<const record_key> keys) override;
    void any_may_have_ended() override;

   private:
    io::waiting_room& waiters_;
  };

  gateway_parts_view parts_;  // borrows: from whoever made it, as its type says
  io::waiting_room waiters_;
  ends_elsewhere ends_elsewhere_{waiters_};
  std::atomic<std::size_t> connections_{0};  // Of clients, over all workers.
  std::atomic<bool> started_{false};
  std::atomic<bool> draining_{false};
  std::atomic<std::size_t> running_{0};
  std::function<void()> on_stopped_;  // Set before draining_ is.
  net::address listen_address_;
  net::address admin_address_;
  std::vector<std::unique_ptr<worker>> workers_;
};

}  // namespace onceward::gateway
