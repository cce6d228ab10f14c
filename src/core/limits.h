// Every limit of the core in one place, with what happens beyond it.
#pragma once

#include <chrono>
#include <cstddef>

namespace onceward::core {

// Nesting of arrays and objects in a JSON body. Beyond: the body counts as bytes, not as JSON.
inline constexpr std::size_t json_depth_max = 64;

// Values in a JSON body, arrays and objects included; each takes about 50 bytes while it is compared. Beyond: the body
// counts as bytes.
inline constexpr std::size_t json_values_max = 65'536;

// Top-level members of a JSON body, or fields and parts of a form, that a fingerprint names one by one. Beyond: the
// others are compared all the same, together.
inline constexpr std::size_t fingerprint_members_max = 32;

// Length of such a name. Beyond: it is compared with the others.
inline constexpr std::size_t fingerprint_member_name_bytes_max = 64;

// Fields and JSON pointers that a route's fingerprint selects. Beyond: the policy is refused.
inline constexpr std::size_t fingerprint_selected_max = 32;

// A JSON pointer from configuration. Beyond: the policy is refused.
inline constexpr std::size_t json_pointer_bytes_max = 1024;
inline constexpr std::size_t json_pointer_tokens_max = 32;

// An idempotency key, as the highest value of key_policy::length_max. Beyond: the policy is refused.
inline constexpr std::size_t idempotency_key_bytes_max = 1024;

// The Location that a tombstone keeps. Beyond: it is left out.
inline constexpr std::size_t tombstone_location_bytes_max = 2048;

// The retention that an upstream may ask for in a response. Beyond: its wish is ignored, and counted.
inline constexpr std::chrono::hours retention_stated_max{24 * 366};

}  // namespace onceward::core
