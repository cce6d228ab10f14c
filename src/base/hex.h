// Bytes as lower-case hexadecimal and back: record keys and attempt ids in logs, paths and the admin interface.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace onceward::base {

std::string to_hex(std::span<const std::byte> bytes);
// Into room for exactly two digits a byte.
void put_hex(std::span<const std::byte> bytes, std::span<char> into);

// Fills `out` from exactly twice as many digits, of either case. False for anything else; `out` is then unspecified.
bool from_hex(std::string_view digits, std::span<std::byte> out);

}  // namespace onceward::base
