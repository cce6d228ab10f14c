// What a lane carries: a command of one key on its way, or an errand of the store's own.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <variant>

#include "core/pending_command.h"
#include "stores/redis/commands.h"
#include "stores/redis/stored_record.h"
#include "stores/redis/value.h"

namespace onceward::redis {

using core::key_of;
using core::pending_command;

// One request at a time is sent for a command.
enum class step {
  put,     // Its response, beside the record.
  decide,  // Its script.
  fetch,   // The response that lies beside the record which the script found.
};

struct errand {
  encoded what;
  std::function<void(const value* told)> then;  // Null where it was not done.
};

struct order {
  std::variant<pending_command, errand> what;
  std::size_t slot = 0;
  base::moment queued_at{};
  step next = step::decide;
  std::optional<script_reply> found;  // Before step::fetch.
  int redirections = 0;
  bool with_text = false;    // The server does not know the script.
  bool with_others = false;  // It went in a script for many, which need not have done all that there is to do.
  bool asking = false;       // The server is to answer although it is still being given the slot.
};

}  // namespace onceward::redis
