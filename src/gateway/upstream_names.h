// Keeps the addresses of the configured upstreams current: names are looked up at start and again and again, in the
// background; addresses are taken as they are.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gateway/log.h"
#include "gateway/settings.h"
#include "net/address.h"
#include "net/deadline.h"
#include "net/loop.h"

namespace onceward::gateway {

class upstream_names {
 public:
  // Called on the loop with all addresses that upstream number `index` has now, never an empty list. A name that cannot
  // be looked up keeps those it had.
  using handler = std::function<void(std::size_t index, const std::vector<net::address>& addresses)>;

  upstream_names(net::loop& loop, std::span<const upstream_address> upstreams, logger& log, handler on_addresses);
  upstream_names(const upstream_names&) = delete;
  upstream_names& operator=(const upstream_names&) = delete;

  // Calls the handler for plain addresses, and begins to look names up.
  void start();

  // Whether some name has not been answered for even once, be it in vain.
  bool unanswered() const;

  // Called when a name was answered for in vain for the first time.
  std::function<void()> on_failed;

 private:
  struct name {
    name(net::loop& loop, const upstream_address& from, std::function<void()> look_up)
        : host(from.host), port(from.port), next(loop, std::move(look_up)) {}
    std::string host;
    std::uint16_t port;
    bool answered = false;
    net::deadline next;
  };

  void look_up(std::size_t index);
  void answered(std::size_t index, const result<std::vector<net::address>>& found);

  net::loop& loop_;
  logger& log_;
  handler on_addresses_;
  std::vector<std::unique_ptr<name>> names_;
  net::resolver resolver_;
};

}  // namespace onceward::gateway
