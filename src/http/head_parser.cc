#include "http/head_parser.h"

#include <cstdint>

#include "base/assert.h"
#include "http/characters.h"

namespace onceward::http {

namespace {

constexpr std::size_t crlf_bytes = 2;
constexpr std::size_t version_bytes = 8;  // HTTP/1.1
constexpr std::size_t status_bytes = 3;

unsigned minor_version_of(std::string_view version) {
  onceward_assert(version.size() == version_bytes && version.starts_with("HTTP/1."));
  return version.back() == '1' ? 1 : 0;
}

// White space before a colon, which a response may have (RFC 9112 section 5.1).
enum class name_padding : std::uint8_t { refused, removed };

// field-name ":" OWS field-value OWS (RFC 9112 section 5).
std::optional<parse_error> take_fields(std::string_view input, const head_scanner::found& marks, name_padding padding,
                                       field_id_set& ids, std::vector<field_view>& fields) {
  fields.clear();
  std::size_t begin = marks.start_line.end + crlf_bytes;
  for (const line_marks& line : marks.fields) {
    if (line.part_end == 0) return parse_error::field_malformed;
    std::string_view name = between(input, begin, line.part_end);
    if (padding == name_padding::removed) name = trimmed_at_end(name);
    const field_id id = identify(name);
    // What is the name of a known field is a token.
    if (id == field_id::other && !is_token(name)) return parse_error::field_malformed;
    ids.add(id);
    fields.push_back({name, trimmed(between(input, line.part_end + 1, line.end)), id});
    begin = line.end + crlf_bytes;
  }
  return std::nullopt;
}

}  // namespace

// method SP request-target SP HTTP-version (RFC 9112 section 3).
std::optional<parse_error> parse_request_text(std::string_view input, const head_scanner::found& marks,
                                              request_head_view& head, std::vector<field_view>& fields) {
  const std::size_t method_end = marks.start_line.part_end;
  const std::size_t version_begin = marks.start_line.end - version_bytes;
  onceward_assert(method_end + 1 < version_begin - 1 && input[version_begin - 1] == ' ');
  head.method = between(input, marks.begin, method_end);
  head.verb = identify_method(head.method);
  head.target = between(input, method_end + 1, version_begin - 1);
  head.version_minor = minor_version_of(between(input, version_begin, marks.start_line.end));
  return take_fields(input, marks, name_padding::refused, head.ids, fields);
}

// HTTP-version SP status-code SP [ reason-phrase ] (RFC 9112 section 4).
std::optional<parse_error> parse_response_text(std::string_view input, const head_scanner::found& marks,
                                               response_head_view& head, std::vector<field_view>& fields) {
  const std::string_view line = between(input, marks.begin, marks.start_line.end);
  onceward_assert(line.size() > version_bytes + 1 + status_bytes);
  head.version_minor = minor_version_of(between(line, 0, version_bytes));
  const std::string_view digits = between(line, version_bytes + 1, version_bytes + 1 + status_bytes);
  head.status = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
  head.reason = between(line, version_bytes + 1 + status_bytes + 1, line.size());
  return take_fields(input, marks, name_padding::removed, head.ids, fields);
}

}  // namespace onceward::http
