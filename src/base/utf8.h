// UTF-8 (RFC 3629): what is well-formed, and code points as bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace onceward::base {

// The length in bytes, 1 to 4, of the code point that `text` begins with; 0 if it begins with none: overlong forms,
// surrogates and numbers above U+10FFFF are not code points.
constexpr std::size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  // The first continuation byte alone has bounds of its own.
  const unsigned char lowest = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const unsigned char highest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (byte(1) < lowest || byte(1) > highest) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xbf) return 0;
  }
  return length;
}

constexpr bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

// Writes a code point up to U+10FFFF to `out`, which has room for four bytes, and returns how many it took. A surrogate
// becomes the three bytes that UTF-8 would give it if it were a character.
constexpr std::size_t put_utf8(char* out, std::uint32_t code_point) {
  const auto low = [code_point](int shift) { return static_cast<char>(0x80 | (code_point >> shift & 0x3f)); };
  if (code_point < 0x80) {
    out[0] = static_cast<char>(code_point);
    return 1;
  }
  if (code_point < 0x800) {
    out[0] = static_cast<char>(0xc0 | code_point >> 6);
    out[1] = low(0);
    return 2;
  }
  if (code_point < 0x10000) {
    out[0] = static_cast<char>(0xe0 | code_point >> 12);
    out[1] = low(6);
    out[2] = low(0);
    return 3;
  }
  out[0] = static_cast<char>(0xf0 | code_point >> 18);
  out[1] = low(12);
  out[2] = low(6);
  out[3] = low(0);
  return 4;
}

}  // namespace onceward::base
