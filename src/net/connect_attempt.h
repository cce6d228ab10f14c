// One TCP connection being made.
#pragma once

#include <functional>
#include <memory>

#include "base/time.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/transport.h"
#include "onceward/result.h"

namespace onceward::net {

// Destroying it gives up; the handler is then not called.
class connect_attempt {
 public:
  // A connection, or why there is none: `timeout`, `unavailable` (refused or unreachable), `io` (no descriptor or port
  // left on this side).
  using handler = std::function<void(result<std::unique_ptr<transport>>)>;

  // `on_connected` is called once, on the loop, later; it may destroy this object.
  connect_attempt(loop& owner, const address& where, base::moment give_up, handler on_connected);
  connect_attempt(const connect_attempt&) = delete;
  connect_attempt& operator=(const connect_attempt&) = delete;
  ~connect_attempt();

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace onceward::net
