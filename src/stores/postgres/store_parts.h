// What the parts of the store on its thread ask of one another.
#pragma once

#include <chrono>
#include <functional>
#include <span>

#include "core/pending_command.h"
#include "core/reply_groups.h"
#include "onceward/store.h"
#include "stores/postgres/server_facts.h"

namespace onceward::postgres {

using core::key_of;
using core::pending_command;

class store_parts {
 public:
  virtual ~store_parts() = default;

  virtual base::moment now() const = 0;
  virtual void answer(const pending_command& to, reply value) = 0;
  // Other gateways are to know that the attempt which owned the record has ended.
  virtual void tell_others(const record_key& key) = 0;
  // Makes the partition that takes responses of this retention; then `then` is called.
  virtual void want_response_day(std::chrono::milliseconds retention, std::function<void(bool made)> then) = 0;
  virtual void connected(const server_facts& facts) = 0;
  virtual void lost(const std::string& why) = 0;
};

}  // namespace onceward::postgres
