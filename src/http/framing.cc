#include "http/framing.h"

#include "base/ascii.h"

namespace onceward::http {

namespace {

// Exactly one coding and that one `chunked`, or why not. A list is read like any other list of tokens, but for empty
// elements: those are refused, because implementations disagree about them.
std::optional<parse_error> check_transfer_encoding(std::string_view value) {
  bool others = false;
  std::size_t chunked_codings = 0;
  bool last_is_chunked = false;
  for (std::size_t comma = 0; comma != std::string_view::npos;) {
    comma = value.find(',');
    const std::string_view coding = trimmed(value.substr(0, comma));
    if (comma != std::string_view::npos) value.remove_prefix(comma + 1);

    // Parameters are allowed by the grammar; chunked has none, and no other coding is supported.
    const std::string_view name = trimmed(coding.substr(0, coding.find(';')));
    if (!is_token(name)) return parse_error::transfer_encoding_malformed;
    last_is_chunked = base::equals_ignoring_case(coding, "chunked");
    if (last_is_chunked) {
      ++chunked_codings;
    } else {
      others = true;
    }
  }
  if (!last_is_chunked || chunked_codings != 1) return parse_error::transfer_encoding_malformed;
  if (others) return parse_error::transfer_encoding_unsupported;
  return std::nullopt;
}

}  // namespace

std::variant<body_framing, parse_error> declared_framing(fields_view fields, field_id_set ids, unsigned version_minor) {
  const bool has_length = ids.has(field_id::content_length);
  const bool has_coding = ids.has(field_id::transfer_encoding);
  if (!has_length && !has_coding) return body_framing{no_body{}};
  if (ids.repeats(field_id::content_length)) return parse_error::content_length_repeated;
  if (ids.repeats(field_id::transfer_encoding)) return parse_error::transfer_encoding_repeated;
  if (has_length && has_coding) return parse_error::transfer_encoding_and_content_length;

  if (has_coding) {
    if (version_minor == 0) return parse_error::transfer_encoding_in_http_1_0;
    if (const auto error = check_transfer_encoding(first_value(fields, field_id::transfer_encoding))) return *error;
    return body_framing{chunked{}};
  }
  const auto bytes = base::parse_decimal(first_value(fields, field_id::content_length));
  if (!bytes) return parse_error::content_length_malformed;
  return body_framing{content_length{*bytes}};
}

}  // namespace onceward::http
