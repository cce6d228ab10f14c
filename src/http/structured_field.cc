#include "http/structured_field.h"

#include <algorithm>
#include <optional>

#include "base/ascii.h"
#include "base/utf8.h"
#include "http/characters.h"
#include "http/limits.h"

namespace onceward::http {

namespace {

int base64_value(char c) {
  if (base::is_upper(c)) return c - 'A';
  if (base::is_lower(c)) return c - 'a' + 26;
  if (base::is_digit(c)) return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

// The parsing algorithms of RFC 9651 section 4.2, one function each. A function that fails has set `error`, and its
// result is not used.
class item_parser {
 public:
  explicit item_parser(std::string_view input) : input_(input) {}

  std::variant<sf_item, sf_error> parse() {
    skip_spaces();
    sf_item item;
    item.value = parse_bare_item();
    if (!error_) item.parameters = parse_parameters();
    if (!error_) skip_spaces();
    if (!error_ && !at_end()) fail("the end of the value");
    if (error_) return first_error();
    return item;
  }

 private:
  // What is not ASCII comes first, wherever it is. No part of an item takes such a byte, so an item has none.
  sf_error first_error() const {
    const auto outside =
        std::find_if(input_.begin(), input_.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
    if (outside != input_.end()) return {static_cast<std::size_t>(outside - input_.begin()), "ASCII"};
    return *error_;
  }

  sf_bare_item parse_bare_item() {
    const char first = peek();
    if (first == '-' || base::is_digit(first)) return parse_number();
    if (first == '"') return parse_string();
    if (first == '*' || base::is_alpha(first)) return parse_token();
    if (first == ':') return parse_bytes();
    if (first == '?') return parse_boolean();
    if (first == '@') return parse_date();
    if (first == '%') return parse_display_string();
    fail("an item");
    return {};
  }

  // 4.2.4: at most 15 digits; with a point at most 12 before it and 1 to 3 behind.
  sf_bare_item parse_number() {
    constexpr std::size_t integer_digits_max = 15;
    constexpr std::size_t whole_digits_max = 12;
    constexpr std::size_t fraction_digits_max = 3;
    const std::int64_t sign = take('-') ? -1 : 1;
    if (!base::is_digit(peek())) fail("a digit");

    std::int64_t value = 0;
    const std::size_t digits = take_digits(value, integer_digits_max);
    if (base::is_digit(peek())) fail("at most 15 digits");
    if (peek() != '.' || error_) return sign * value;

    if (digits > whole_digits_max) fail("at most 12 digits before the point");
    ++position_;
    const std::size_t fraction_digits = take_digits(value, fraction_digits_max);
    if (fraction_digits == 0) fail("a digit");
    if (base::is_digit(peek())) fail("at most 3 digits behind the point");
    for (std::size_t i = fraction_digits; i < fraction_digits_max; ++i)
      value *= 10;
    return sf_decimal{sign * value};
  }

  // Appends digits to a number; how many there were.
  std::size_t take_digits(std::int64_t& value, std::size_t digits_max) {
    std::size_t digits = 0;
    for (; digits < digits_max && base::is_digit(peek()); ++digits)
      value = value * 10 + (input_[position_++] - '0');
    return digits;
  }

  // 4.2.5
  sf_bare_item parse_string() {
    ++position_;
    std::string text;
    while (true) {
      const std::size_t begin = position_;
      while (!at_end() && is_in(class_quoted, input_[position_]))
        ++position_;
      text.append(input_.substr(begin, position_ - begin));
      if (at_end() || (input_[position_] != '"' && input_[position_] != '\\')) break;
      if (input_[position_++] == '"') return text;
      if (peek() == '"' || peek() == '\\') {
        text += input_[position_++];
      } else {
        fail("a double quote or a backslash");
        return {};
      }
    }
    fail(at_end() ? "a double quote that ends the string" : "a visible character or a space");
    return {};
  }

  // 4.2.6
  sf_bare_item parse_token() {
    const std::size_t begin = position_++;
    while (!at_end() && (is_tchar(peek()) || peek() == ':' || peek() == '/'))
      ++position_;
    return sf_token{std::string(input_.substr(begin, position_ - begin))};
  }

  // 4.2.7
  sf_bare_item parse_bytes();

  // 4.2.8
  sf_bare_item parse_boolean() {
    ++position_;
    const bool value = peek() == '1';
    if (!value && peek() != '0') fail("0 or 1");
    ++position_;
    return value;
  }

  // 4.2.9
  sf_bare_item parse_date() {
    ++position_;
    const std::size_t number_begin = position_;
    if (peek() != '-' && !base::is_digit(peek())) fail("a number");
    if (error_) return {};
    const sf_bare_item number = parse_number();
    if (error_) return {};
    const auto* seconds = std::get_if<std::int64_t>(&number);
    if (seconds == nullptr) {
      position_ = number_begin;
      fail("an integer");
      return {};
    }
    return sf_date{*seconds};
  }

  // 4.2.10
  sf_bare_item parse_display_string();

  // 4.2.3.2
  std::vector<sf_parameter> parse_parameters() {
    std::vector<sf_parameter> parameters;
    while (!error_ && take(';')) {
      skip_spaces();
      const std::string_view key = parse_key();
      if (error_) break;
      sf_bare_item value = true;
      if (take('=')) value = parse_bare_item();
      const auto same = std::ranges::find(parameters, key, &sf_parameter::key);
      if (same != parameters.end()) {
        same->value = std::move(value);
      } else if (parameters.size() == sf_parameters_max) {
        fail("at most 256 parameters");
      } else {
        parameters.push_back({std::string(key), std::move(value)});
      }
    }
    return parameters;
  }

  // 4.2.3.3
  std::string_view parse_key() {
    if (peek() != '*' && !base::is_lower(peek())) {
      fail("a parameter's name");
      return {};
    }
    const auto fits = [](char c) {
      return base::is_lower(c) || base::is_digit(c) || c == '_' || c == '-' || c == '.' || c == '*';
    };
    const std::size_t begin = position_;
    while (!at_end() && fits(peek()))
      ++position_;
    return input_.substr(begin, position_ - begin);
  }

  bool at_end() const { return position_ >= input_.size(); }

  // NUL at the end: no part of an item begins or goes on with one.
  char peek() const { return at_end() ? '\0' : input_[position_]; }

  bool take(char wanted) {
    if (at_end() || input_[position_] != wanted) return false;
    ++position_;
    return true;
  }

  void skip_spaces() {
    while (peek() == ' ')
      ++position_;
  }

  void fail(std::string_view expected) {
    if (!error_) error_ = sf_error{std::min(position_, input_.size()), expected};
  }

  std::string_view input_;
  std::size_t position_ = 0;
  std::optional<sf_error> error_;
};

// Missing padding and bits left over are accepted, as section 4.2.7 allows; anything but base64 is not.
sf_bare_item item_parser::parse_bytes() {
  ++position_;
  std::string bytes;
  unsigned pending = 0;
  unsigned pending_bits = 0;
  std::size_t digits = 0;
  std::size_t padding = 0;
  for (; !at_end() && peek() != ':'; ++position_) {
    const int value = base64_value(peek());
    if (peek() == '=') {
      ++padding;
      continue;
    }
    if (value < 0 || padding != 0) {
      fail("base64");
      return {};
    }
    ++digits;
    pending = (pending << 6 | static_cast<unsigned>(value)) & 0xffffU;
    pending_bits += 6;
    if (pending_bits >= 8) {
      pending_bits -= 8;
      bytes += static_cast<char>(pending >> pending_bits & 0xffU);
    }
  }
  const bool padded_right = padding == 0 || (digits + padding) % 4 == 0;
  if (at_end()) fail("a colon that ends the bytes");
  if (digits % 4 == 1 || padding > 2 || !padded_right) fail("complete base64");
  ++position_;
  return sf_bytes{std::move(bytes)};
}

sf_bare_item item_parser::parse_display_string() {
  ++position_;
  if (!take('"')) fail("a double quote");
  std::string text;
  while (!error_ && !at_end()) {
    const char c = input_[position_];
    if (c == '"') {
      if (!base::is_utf8(text)) fail("UTF-8");
      ++position_;
      return sf_display_string{std::move(text)};
    }
    if (c != ' ' && !base::is_visible(c)) break;
    ++position_;
    if (c != '%') {
      text += c;
      continue;
    }
    int value = 0;
    for (int i = 0; i < 2; ++i) {
      if (base::hex_digit_value(peek()) < 0 || base::is_upper(peek())) fail("two lower-case hexadecimal digits");
      value = value * 16 + base::hex_digit_value(peek());
      ++position_;
    }
    text += static_cast<char>(value);
  }
  fail(at_end() ? "a double quote that ends the string" : "a visible character or a space");
  return {};
}

}  // namespace

std::variant<sf_item, sf_error> parse_sf_item(std::string_view value) {
  return item_parser(value).parse();
}

}  // namespace onceward::http
