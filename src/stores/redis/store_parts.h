// What the parts of the store on its thread ask of one another.
#pragma once

#include <cstdint>
#include <string>

#include "core/pending_command.h"
#include "onceward/store.h"
#include "stores/redis/order.h"
#include "stores/redis/server_facts.h"
#include "stores/redis/slots.h"

namespace onceward::redis {

class store_parts {
 public:
  virtual ~store_parts() = default;

  virtual base::moment now() const = 0;
  virtual void answer(const pending_command& to, reply value) = 0;
  // Takes an order that a lane could not carry out to where it belongs: at once, or a little later.
  virtual void route(order what) = 0;
  virtual void route_later(order what) = 0;
  virtual void route_to(order what, const address& node) = 0;
  // The cluster is not, or no longer, what it was taken for.
  virtual void moved(std::size_t slot, const address& to) = 0;
  virtual void look_again() = 0;
  // Every fence that is granted from now on is above it.
  virtual void saw_fence(fence token) = 0;
  virtual std::uint64_t fence_floor() const = 0;
  // What was acknowledged is in the server's history up to there.
  virtual void acknowledged(const std::string& history, std::int64_t offset) = 0;
  virtual void connected(const address& server, const server_facts& facts) = 0;
  virtual void lost(const std::string& why) = 0;
};

}  // namespace onceward::redis
