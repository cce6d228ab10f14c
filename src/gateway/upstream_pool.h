// One worker's connections to the upstream: which address is next, which is not to be asked for a while, and which
// connections are idle and can be used again.
//
// Addresses are asked in turn. One to which connecting failed several times in a row is left out for a while, unless
// all are. Whoever finds every address at its limit of connections waits in a queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/intrusive_list.h"
#include "base/time.h"
#include "gateway/counters.h"
#include "gateway/log.h"
#include "gateway/settings.h"
#include "gateway/upstream_connection.h"
#include "gateway/upstream_names.h"
#include "http/limits.h"
#include "net/address.h"
#include "net/connect_attempt.h"
#include "net/deadline.h"
#include "net/loop.h"

namespace onceward::gateway {

struct upstream_connecting;

// What a caller wants of a connection.
struct upstream_demand {
  base::moment::duration idle_max{};  // One that was idle for longer is not good enough; negative: only a new one is.
  bool checked = false;               // That it is still open is known, or asked of the kernel, right before.
};

// Somebody who waits for a connection. Leaves the pool before it is destroyed.
class upstream_customer {
 public:
  virtual ~upstream_customer() = default;
  // The last call for an acquire(); either may come from inside it.
  virtual void on_connection(upstream_connection& ready) = 0;
  virtual void on_no_connection(upstream_failure_kind why) = 0;

 protected:
  upstream_customer() = default;
  upstream_customer(const upstream_customer&) = delete;
  upstream_customer& operator=(const upstream_customer&) = delete;

 private:
  friend class upstream_pool;
  friend class base::intrusive_list<upstream_customer>;

  upstream_demand demand_;
  std::size_t turn_ = 0;    // Where in the round it began.
  std::size_t looked_ = 0;  // Addresses of the round that it is done with.
  bool saw_full_ = false;   // One of them had no connection to spare.
  upstream_connecting* attempt_ = nullptr;

  base::moment give_up_{};
  base::list_links<upstream_customer> links;  // In the queue.
};

// Customers in the order in which they came.
using upstream_queue = base::intrusive_list<upstream_customer>;

// An address of an upstream and what is known of it.
struct upstream_endpoint {
  net::address where;
  std::size_t upstream = 0;                                       // Number of the setting that it comes from.
  std::vector<std::unique_ptr<upstream_connection>> connections;  // All of them.
  std::vector<upstream_connection*> idle;                         // The latest used is the last.
  std::size_t connecting = 0;
  int failures = 0;  // Connects that failed in a row.
  base::moment ejected_until{};
  bool retired = false;  // No name leads there any more.
};

class upstream_pool {
 public:
  upstream_pool(net::loop& loop, const settings& from, worker_counters& counts, logger& log);
  upstream_pool(const upstream_pool&) = delete;
  upstream_pool& operator=(const upstream_pool&) = delete;
  // Nobody waits and no connection is in use.
  ~upstream_pool();

  // Begins to look names up.
  void start() { names_.start(); }

  void acquire(upstream_customer& who, const upstream_demand& demand);
  // No effect on who does not wait.
  void leave(upstream_customer& who);

  // Takes a connection back after a complete exchange, for others to use.
  void give_back(upstream_connection& done);
  // Closes a connection that cannot be used any more.
  void discard(upstream_connection& done);

 private:
  void set_addresses(std::size_t upstream, const std::vector<net::address>& addresses);
  void remove_retired();

  void serve(upstream_customer& who);
  upstream_connection* take_idle(upstream_endpoint& where, const upstream_demand& demand);
  void connect(upstream_endpoint& where, upstream_customer& who);
  void connected(upstream_connecting& made, result<std::unique_ptr<net::transport>> stream);
  void connect_failed(upstream_endpoint& where, errc reason);
  void wait(upstream_customer& who);
  void serve_queue();
  void expire_queue();
  void close_idle_too_long();

  bool is_out(const upstream_endpoint& where) const { return where.ejected_until > loop_.now(); }
  bool is_full(const upstream_endpoint& where) const;
  bool all_are_out() const;

  net::loop& loop_;
  const settings& settings_;
  worker_counters& counts_;
  logger& log_;
  http::head_limits limits_;

  std::vector<std::unique_ptr<upstream_endpoint>> endpoints_;
  std::vector<std::unique_ptr<upstream_endpoint>> retired_;  // Until their last connection is closed.
  std::size_t turn_ = 0;
  std::vector<std::unique_ptr<upstream_connecting>> connecting_;
  upstream_queue queue_;
  bool serving_queue_ = false;
  net::deadline queue_deadline_;
  net::deadline idle_deadline_;
  upstream_names names_;
};

}  // namespace onceward::gateway
