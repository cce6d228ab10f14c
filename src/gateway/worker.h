// One event loop with everything that runs on it: the share of the connections that the kernel gave it, its own pool of
// connections to the upstream, and the exchanges of its clients.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "core/digest_memo.h"
#include "core/secret.h"
#include "gateway/admin.h"
#include "gateway/buffer_shelf.h"
#include "gateway/connection.h"
#include "gateway/counters.h"
#include "gateway/date_clock.h"
#include "gateway/gateway.h"
#include "gateway/local_request.h"
#include "gateway/proxy.h"
#include "gateway/recycler.h"
#include "gateway/route_latencies.h"
#include "gateway/status_lookup.h"
#include "gateway/traffic_mix.h"
#include "gateway/upstream_pool.h"
#include "gateway/worker_tools.h"
#include "io/exchange_shell.h"
#include "io/mailbox.h"
#include "net/address.h"
#include "net/deadline.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/loop_thread.h"

namespace onceward::gateway {

class worker final : private connection_home, private io::store_meter {
 public:
  explicit worker(gateway& whole);
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  // Not while it runs.
  ~worker() override;

  // Before run(). The address that it got, or why there is none.
  result<net::address> listen(const net::address& where);
  result<net::address> listen_for_admin(const net::address& where);

  // On a thread of its own, until it stops.
  void start();
  void join();

  // Any thread.
  void begin_drain();
  void stop_now();

  const worker_counters& counts() const { return counts_; }

 private:
  // Answers every request on the admin listener.
  class admin_dispatcher final : public request_dispatcher {
   public:
    explicit admin_dispatcher(worker& owner) : owner_(owner) {}
    std::optional<accepted> dispatch(connection& from, const http::request_head_view& head) override;

   private:
    worker& owner_;
  };

  void run();
  void end_turn(net::turn_end how);
  void accept(std::unique_ptr<net::transport> stream, request_dispatcher& dispatcher);
  void on_closed(connection& done) override;
  void store_replied(std::size_t command_index, const reply& value, std::chrono::microseconds took) override;
  void drain();
  void look_whether_drained();

  gateway& whole_;
  const settings& settings_;
  bool draining_ = false;
  base::moment waiters_end_{};
  base::moment drain_end_{};

  net::loop loop_;
  worker_counters counts_;
  base::random_source random_;
  core::digest_memo digests_;
  buffer_shelf buffers_;
  date_clock dates_;
  traffic_mix mix_;
  route_latencies latencies_;
  io::mailbox replies_;
  io::worker_context exchanges_;
  upstream_pool upstreams_;
  worker_tools tools_;

  std::unique_ptr<local_handler> lookup_;
  std::unique_ptr<local_handler> admin_;
  admin_sources admin_sources_;
  recycler<local_request> locals_;
  proxy proxy_;
  admin_dispatcher admin_dispatcher_;

  std::unique_ptr<net::listener> listener_;
  std::unique_ptr<net::listener> admin_listener_;
  std::vector<std::unique_ptr<connection>> connections_;
  std::size_t clients_ = 0;                          // Of them, those that are not the admin listener's.
  std::vector<std::unique_ptr<connection>> closed_;  // To be destroyed at the next turn.
  net::deadline drain_look_;
  net::loop_thread thread_;
};

}  // namespace onceward::gateway
