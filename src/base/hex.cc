#include "base/hex.h"

#include "base/ascii.h"
#include "base/assert.h"

namespace onceward::base {

std::string to_hex(std::span<const std::byte> bytes) {
  std::string text(bytes.size() * 2, '\0');
  put_hex(bytes, text);
  return text;
}

void put_hex(std::span<const std::byte> bytes, std::span<char> into) {
  constexpr std::string_view digits = "0123456789abcdef";
  onceward_assert(into.size() == 2 * bytes.size());
  char* next = into.data();
  for (const std::byte b : bytes) {
    *next++ = digits[std::to_integer<std::size_t>(b >> 4)];
    *next++ = digits[std::to_integer<std::size_t>(b & std::byte{15})];
  }
}

bool from_hex(std::string_view digits, std::span<std::byte> out) {
  if (digits.size() != out.size() * 2) return false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = hex_digit_value(digits[2 * i]);
    const int low = hex_digit_value(digits[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::byte>(high * 16 + low);
  }
  return true;
}

}  // namespace onceward::base
