// A command on its way through a store that asks a server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>

#include "base/time.h"
#include "onceward/store.h"

namespace onceward::core {

struct pending_command {
  command what;
  reply_sink* sink;
  std::uint64_t tag;
  base::moment queued_at;
  int sent = 0;        // How often it was.
  bool alone = false;  // It is to go in a batch of its own, because one with others failed.
};

// The record that the command is about; null where it is about many.
inline const record_key* key_of(const command& what) {
  return std::visit(
      [](const auto& each) -> const record_key* {
        if constexpr (requires { each.key; })
          return &each.key;
        else
          return nullptr;
      },
      what);
}

}  // namespace onceward::core
