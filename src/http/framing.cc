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

std::variant<body_framing, parse_error> declared_framing(fields_view fields, unsigned version_minor) {
  const field_view* length = nullptr;
  const field_view* coding = nullptr;
  for (const field_view& field : fields) {
    if (field.id == field_id::content_length) {
      if (length != nullptr) return parse_error::content_length_repeated;
      length = &field;
    } else if (field.id == field_id::transfer_encoding) {
      if (coding != nullptr) return parse_error::transfer_encoding_repeated;
      coding = &field;
    }
  }

  if (coding != nullptr) {
    if (length != nullptr) return parse_error::transfer_encoding_and_content_length;
    if (version_minor == 0) return parse_error::transfer_encoding_in_http_1_0;
    if (const auto error = check_transfer_encoding(coding->value)) return *error;
    return body_framing{chunked{}};
  }
  if (length != nullptr) {
    const auto bytes = base::parse_decimal(length->value);
    if (!bytes) return parse_error::content_length_malformed;
    return body_framing{content_length{*bytes}};
  }
  return body_framing{no_body{}};
}

}  // namespace onceward::http
