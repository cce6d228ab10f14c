// The character classes of HTTP (RFC 9110 section 5.6.2, RFC 9112) as table look-ups, and the scan for control
// characters.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace onceward::http {

// Bits of the class table.
enum char_class : std::uint8_t {
  class_tchar = 1,  // Tokens: field names, methods, codings.
  class_field = 2,  // Field values and reasons: VCHAR, obs-text, SP, HTAB.
  class_target =
      4,           // Request targets: VCHAR but `#`. Wider than RFC 3986, because clients are; see target.h for paths.
  class_host = 8,  // Registered names: unreserved, `%` and sub-delims but the comma.
  class_quoted = 16,  // What stands for itself in a structured field's String: SP and VCHAR but `"` and `\`.
};

namespace detail {

constexpr std::array<std::uint8_t, 256> make_char_classes() {
  std::array<std::uint8_t, 256> table{};
  const auto add = [&table](std::string_view chars, char_class bit) {
    for (const char c : chars)
      table[static_cast<unsigned char>(c)] |= bit;
  };
  constexpr std::string_view alnum = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  add(alnum, class_tchar);
  add("!#$%&'*+-.^_`|~", class_tchar);
  add(alnum, class_host);
  add("-._~%!$&'()*+;=", class_host);
  for (char c = 0x21; c < 0x7f; ++c) {
    const char one[] = {c};
    add({one, 1}, class_field);
    if (c != '#') add({one, 1}, class_target);
    if (c != '"' && c != '\\') add({one, 1}, class_quoted);
  }
  for (unsigned c = 0x80; c < 0x100; ++c)
    table[c] |= class_field;
  add(" \t", class_field);
  add(" ", class_quoted);
  return table;
}

inline constexpr std::array<std::uint8_t, 256> char_classes = make_char_classes();

}  // namespace detail

constexpr bool is_in(char_class wanted, char c) {
  return (detail::char_classes[static_cast<unsigned char>(c)] & wanted) != 0;
}

constexpr bool all_in(char_class wanted, std::string_view text) {
  std::uint8_t common = 0xff;
  for (const char c : text)
    common &= detail::char_classes[static_cast<unsigned char>(c)];
  return (common & wanted) != 0;
}

constexpr bool is_tchar(char c) {
  return is_in(class_tchar, c);
}
constexpr bool is_token(std::string_view text) {
  return !text.empty() && all_in(class_tchar, text);
}
constexpr bool is_space_or_tab(char c) {
  return c == ' ' || c == '\t';
}

// Without SP and HTAB at the end, and without any other notion of white space.
constexpr std::string_view trimmed_at_end(std::string_view text) {
  while (!text.empty() && is_space_or_tab(text.back()))
    text.remove_suffix(1);
  return text;
}

// Without them at both ends.
constexpr std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space_or_tab(text.front()))
    text.remove_prefix(1);
  return trimmed_at_end(text);
}

// The bytes at [begin, end), which the text is known to have.
constexpr std::string_view between(std::string_view text, std::size_t begin, std::size_t end) {
  return {text.data() + begin, end - begin};
}

// The first byte of [from, end) that is a control character other than HTAB, DEL included; `end` if there is none.
const char* find_control(const char* from, const char* end);

// What find_control() finds, and on the way the first colon before it; null if there is none.
struct control_and_colon {
  const char* control;
  const char* colon;
};
control_and_colon find_control_and_colon(const char* from, const char* end);

// What may be written as a field value: no control character but HTAB, no white space at either end. May be empty.
bool is_field_value(std::string_view text);

}  // namespace onceward::http
