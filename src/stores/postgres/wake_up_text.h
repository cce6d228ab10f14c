// What gateways on one database tell each other: the keys of the records whose attempts ended.
//
// A notification carries up to 8000 bytes of text: the keys in hexadecimal one after the other, or a single `*` for
// more than could be told.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onceward/store.h"

namespace onceward::postgres {

inline constexpr std::size_t keys_per_wake_up_max = 120;
inline constexpr std::string_view everything = "*";

std::string wake_up_text(std::span<const record_key> keys);

// The keys in the text; empty for `*` and for what is no such text.
std::vector<record_key> keys_in(std::string_view text);

}  // namespace onceward::postgres
