#include "http/head_parser.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "http/characters.h"

namespace onceward::http {

namespace {

constexpr std::size_t crlf_bytes = 2;
constexpr std::size_t version_bytes = 8;  // HTTP/1.1
constexpr std::size_t status_bytes = 3;

// The next line, without its CRLF, and `text` begins behind it. Every carriage return ends a line here.
std::string_view take_line(std::string_view& text) {
  const auto* const end = static_cast<const char*>(std::memchr(text.data(), '\r', text.size()));
  onceward_assert(end != nullptr);
  const auto bytes = static_cast<std::size_t>(end - text.data());
  const std::string_view line = text.substr(0, bytes);
  text.remove_prefix(bytes + crlf_bytes);
  return line;
}

unsigned minor_version_of(std::string_view version) {
  onceward_assert(version == "HTTP/1.1" || version == "HTTP/1.0");
  return version.back() == '1' ? 1 : 0;
}

// field-name ":" OWS field-value OWS (RFC 9112 section 5).
std::optional<parse_error> take_fields(std::string_view text, field_id_set& ids, std::vector<field_view>& fields) {
  fields.clear();
  while (true) {
    const std::string_view line = take_line(text);
    if (line.empty()) break;
    const auto* const name_end = std::find_if_not(line.begin(), line.end(), is_tchar);
    if (name_end == line.begin() || name_end == line.end() || *name_end != ':') return parse_error::field_malformed;
    const auto name_bytes = static_cast<std::size_t>(name_end - line.begin());
    const field_view field = make_field(line.substr(0, name_bytes), trimmed(line.substr(name_bytes + 1)));
    ids.add(field.id);
    fields.push_back(field);
  }
  onceward_assert(text.empty());
  return std::nullopt;
}

}  // namespace

// method SP request-target SP HTTP-version (RFC 9112 section 3).
std::optional<parse_error> parse_request_text(std::string_view text, request_head_view& head,
                                              std::vector<field_view>& fields) {
  const std::string_view line = take_line(text);
  const std::size_t method_end = line.find(' ');
  const std::size_t version_begin = line.size() - version_bytes;
  onceward_assert(method_end + 1 < version_begin - 1 && line[version_begin - 1] == ' ');
  head.method = line.substr(0, method_end);
  head.verb = identify_method(head.method);
  head.target = line.substr(method_end + 1, version_begin - 1 - (method_end + 1));
  head.version_minor = minor_version_of(line.substr(version_begin));
  return take_fields(text, head.ids, fields);
}

// HTTP-version SP status-code SP [ reason-phrase ] (RFC 9112 section 4).
std::optional<parse_error> parse_response_text(std::string_view text, response_head_view& head,
                                               std::vector<field_view>& fields) {
  const std::string_view line = take_line(text);
  head.version_minor = minor_version_of(line.substr(0, version_bytes));
  const std::string_view digits = line.substr(version_bytes + 1, status_bytes);
  onceward_assert(digits.size() == status_bytes);
  head.status = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
  head.reason = line.substr(version_bytes + 1 + status_bytes + 1);
  return take_fields(text, head.ids, fields);
}

}  // namespace onceward::http
