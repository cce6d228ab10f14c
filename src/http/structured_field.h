// Structured field Items (RFC 9651 section 4.2): one bare item with its parameters, parsed as that section says, to the
// letter, with the place of the first fault where it fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace onceward::http {

// A number with three digits after the point, as thousandths.
struct sf_decimal {
  std::int64_t thousandths = 0;
  friend bool operator==(const sf_decimal&, const sf_decimal&) = default;
};

struct sf_token {
  std::string text;
  friend bool operator==(const sf_token&, const sf_token&) = default;
};

struct sf_bytes {
  std::string bytes;
  friend bool operator==(const sf_bytes&, const sf_bytes&) = default;
};

struct sf_date {
  std::int64_t seconds = 0;  // Since 1970-01-01T00:00:00Z.
  friend bool operator==(const sf_date&, const sf_date&) = default;
};

struct sf_display_string {
  std::string utf8;
  friend bool operator==(const sf_display_string&, const sf_display_string&) = default;
};

// std::string is the String type; std::int64_t the Integer, of at most 15 digits.
using sf_bare_item =
    std::variant<std::int64_t, sf_decimal, std::string, sf_token, sf_bytes, bool, sf_date, sf_display_string>;

struct sf_parameter {
  std::string key;
  sf_bare_item value;
  friend bool operator==(const sf_parameter&, const sf_parameter&) = default;
};

struct sf_item {
  sf_bare_item value;
  std::vector<sf_parameter> parameters;  // Each key once, with its last value.
  friend bool operator==(const sf_item&, const sf_item&) = default;
};

// Where a value stops being an Item. borrows: a constant of the program.
struct sf_error {
  std::size_t offset = 0;   // Of the first byte that does not fit.
  std::string_view reason;  // What was expected there; a constant.
};

// `value` is one field line's value. Several lines of one field are a list, which an Item is not.
std::variant<sf_item, sf_error> parse_sf_item(std::string_view value);

}  // namespace onceward::http
