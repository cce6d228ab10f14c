// What an operator says became of an unknown outcome: the JSON of a resolve request.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include <tl/expected.hpp>

#include "core/prepared_policy.h"
#include "onceward/store.h"

namespace onceward::gateway {

// It did not take effect: the key is free again.
struct resolved_released {};

// It did, and this is the answer that every retry gets.
struct resolved_completed {
  shared_bytes response;
  shared_bytes tombstone;
};

using resolution = std::variant<resolved_released, resolved_completed>;

// The error is a sentence that says what is wrong with the document.
tl::expected<resolution, std::string> read_resolution(std::string_view text, const core::replay_rules& rules);

}  // namespace onceward::gateway
