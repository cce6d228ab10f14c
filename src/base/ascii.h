// ASCII without locales: what a byte is, letters without case, and numbers in decimal and hexadecimal. Bytes from 0x80
// on belong to no class and have no case.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace onceward::base {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
constexpr bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
constexpr bool is_alpha(char c) {
  return is_upper(c) || is_lower(c);
}
constexpr bool is_alnum(char c) {
  return is_alpha(c) || is_digit(c);
}
constexpr bool is_visible(char c) {
  return c > ' ' && c < 0x7f;
}
constexpr char to_lower(char c) {
  return is_upper(c) ? static_cast<char>(c | 0x20) : c;
}

// The value of a hexadecimal digit of either case, or -1.
constexpr int hex_digit_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  const char* left = a.data();
  const char* right = b.data();
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (left[i] != right[i] && to_lower(left[i]) != to_lower(right[i])) return false;
  }
  return true;
}

// A number made of digits alone, at most 19 of them, so that it cannot overflow. Leading zeros are digits. Nothing
// otherwise: an empty string, a sign, a space or a twentieth digit.
constexpr std::optional<std::uint64_t> parse_decimal(std::string_view digits) {
  if (digits.empty() || digits.size() > 19) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

// A number as text, without an allocation: the text lives as long as the object.
class decimal_text {
 public:
  constexpr explicit decimal_text(std::uint64_t value) {
    do {
      digits_[--start_] = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
  }
  constexpr std::string_view view() const { return {digits_.data() + start_, digits_.size() - start_}; }

 private:
  std::array<char, 20> digits_{};
  std::uint32_t start_ = 20;
};

// As decimal_text, in lower-case hexadecimal without leading zeros.
class hexadecimal_text {
 public:
  constexpr explicit hexadecimal_text(std::uint64_t value) {
    do {
      digits_[--start_] = "0123456789abcdef"[value & 15];
      value >>= 4;
    } while (value != 0);
  }
  constexpr std::string_view view() const { return {digits_.data() + start_, digits_.size() - start_}; }

 private:
  std::array<char, 16> digits_{};
  std::uint32_t start_ = 16;
};

}  // namespace onceward::base
