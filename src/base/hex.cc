#include "base/hex.h"

#include "base/ascii.h"

namespace onceward::base {

std::string to_hex(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte b : bytes) {
    text.push_back(digits[std::to_integer<std::size_t>(b >> 4)]);
    text.push_back(digits[std::to_integer<std::size_t>(b & std::byte{15})]);
  }
  return text;
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
