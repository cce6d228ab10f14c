// A listening TCP socket. Several may listen on one address, each on its own loop (SO_REUSEPORT): the kernel spreads
// the connections over them.
#pragma once

#include <functional>
#include <memory>

#include "net/address.h"
#include "net/loop.h"
#include "net/transport.h"
#include "onceward/result.h"

namespace onceward::net {

// Whether anybody listens on the address already, also who would share it. A free port is not in use.
bool is_in_use(const address& where);

class listener {
 public:
  using handler = std::function<void(std::unique_ptr<transport>)>;

  // Binds and listens; port 0 takes a free one. `busy` where somebody else listens there without sharing, `invalid`
  // where this machine has no such address, `io` otherwise.
  static result<std::unique_ptr<listener>> open(loop& owner, const address& where);

  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;
  // As stop(), but that what the kernel has queued is reset.
  ~listener();

  // Calls `on_accepted` on the loop for each connection from now on. Without a free descriptor it pauses and then goes
  // on by itself.
  void start(handler on_accepted);

  // Accepts what the kernel has queued, then closes the socket: whoever comes later is refused.
  void stop();

  address local() const;

 private:
  struct state;
  explicit listener(std::shared_ptr<state> opened);
  std::shared_ptr<state> state_;
};

}  // namespace onceward::net
