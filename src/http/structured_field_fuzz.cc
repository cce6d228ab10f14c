// Any bytes as a structured field Item: what parses is written as RFC 9651 section 4.1 says and parses to the same
// again; what does not has its fault inside the input.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

#include "base/assert.h"
#include "http/structured_field.h"

namespace {

using namespace onceward::http;

std::string written(std::int64_t value) {
  return std::to_string(value);
}

std::string written(const sf_decimal& value) {
  const std::int64_t magnitude = std::abs(value.thousandths);
  std::string fraction = std::to_string(magnitude % 1000);
  fraction.insert(0, 3 - fraction.size(), '0');
  return (value.thousandths < 0 ? "-" : "") + std::to_string(magnitude / 1000) + '.' + fraction;
}

std::string written(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string written(const sf_token& value) {
  return value.text;
}

std::string written(const sf_bytes& value) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out = ":";
  for (std::size_t i = 0; i < value.bytes.size(); i += 3) {
    unsigned group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (i + j < value.bytes.size() ? static_cast<unsigned char>(value.bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += i + j > value.bytes.size() ? '=' : digits[group >> (18 - 6 * j) & 63U];
    }
  }
  return out + ':';
}

std::string written(bool value) {
  return value ? "?1" : "?0";
}

std::string written(const sf_date& value) {
  return '@' + std::to_string(value.seconds);
}

std::string written(const sf_display_string& value) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "%\"";
  for (const char c : value.utf8) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f || c == '%' || c == '"') {
      out += '%';
      out += digits[byte / 16];
      out += digits[byte % 16];
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string written(const sf_item& item) {
  const auto write_bare = [](const auto& value) { return written(value); };
  std::string out = std::visit(write_bare, item.value);
  for (const sf_parameter& parameter : item.parameters) {
    out += ';' + parameter.key + '=' + std::visit(write_bare, parameter.value);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view value(reinterpret_cast<const char*>(data), size);
  const auto parsed = parse_sf_item(value);
  if (const auto* error = std::get_if<sf_error>(&parsed)) {
    onceward_assert(error->offset <= size && !error->reason.empty());
    return 0;
  }
  const auto& item = std::get<sf_item>(parsed);
  const auto again = parse_sf_item(written(item));
  onceward_assert(std::get<sf_item>(again) == item);
  return 0;
}
