// Request targets: their four forms (RFC 9112 section 3.2), authorities, and whether a path means the same to
// everybody.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace onceward::http {

enum class target_form : std::uint8_t { origin, absolute, authority, asterisk };

// A target taken apart, nothing decoded. Views into the target.
struct target_view {
  target_form form = target_form::origin;
  std::string_view authority;  // Absolute and authority form; else empty.
  std::string_view
      path;  // Begins with `/`, or is empty in absolute form; `*` in asterisk form; empty in authority form.
  std::optional<std::string_view> query;  // Without its `?`; an empty query is not the same as none.
};

// Nothing if the target has none of the four forms: a byte that is no visible ASCII character, a `#`, no leading `/`,
// a scheme other than http and https, user information, an authority that is_authority() refuses. Which form suits
// which method is the caller's business.
std::optional<target_view> parse_target(std::string_view target);

// host [ ":" port ] with a host that is not empty, without user information, white space or a comma (RFC 9110
// section 7.2).
bool is_authority(std::string_view text);

// Routes are matched on the path exactly as received. That is only safe for a path which every reader takes for the
// same resource; all others are ambiguous, with the first reason found. Nothing is ever decoded, encoded again or
// joined.
enum class path_class : std::uint8_t {
  plain,
  dot_segment,         // `.` or `..`, also encoded, also before a `;`.
  empty_segment,       // `//`
  backslash,           // `\` or %5C
  encoded_slash,       // %2F
  encoded_control,     // %00 to %1F, %7F
  encoded_unreserved,  // A letter, digit, `-`, `.`, `_` or `~` that needed no encoding (RFC 3986 section 6.2.2.2).
  malformed_encoding,  // A `%` without two hexadecimal digits.
};

path_class classify_path(std::string_view path);

// A stable word for logs and problems.
std::string_view to_string(path_class found);

}  // namespace onceward::http
