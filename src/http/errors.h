// Everything that can be wrong with a message, and what a client is told about it.
//
// After any of these the position of the next message is in doubt: the connection is answered (a request) or not (a
// response) and always closed. Beyond a malformed response the client is told 502, whatever is said here.
#pragma once

#include <cstdint>
#include <string_view>

namespace onceward::http {

enum class parse_error : std::uint8_t {
  // Start line.
  request_line_malformed,
  method_malformed,
  method_too_long,
  target_malformed,
  target_too_long,
  version_malformed,
  version_unsupported,
  http2_preface,
  status_line_malformed,
  status_invalid,
  // Bytes and lines of a head.
  empty_line_before_message,
  bare_carriage_return,
  bare_line_feed,
  control_character,
  folded_line,
  field_malformed,
  field_name_refused,
  head_too_large,
  too_many_fields,
  // What fields say.
  host_missing,
  host_repeated,
  host_malformed,
  content_length_malformed,
  content_length_repeated,
  transfer_encoding_malformed,
  transfer_encoding_repeated,
  transfer_encoding_unsupported,
  transfer_encoding_in_http_1_0,
  transfer_encoding_and_content_length,
  connection_malformed,
  connection_names_protected_field,
  expectation_malformed,
  expectation_unsupported,
  // Bodies.
  body_too_large,
  body_truncated,
  chunk_size_malformed,
  chunk_line_malformed,
  chunk_line_too_long,
  chunk_extension_malformed,
  chunk_extensions_too_large,
  chunk_data_malformed,
  trailer_malformed,
  trailers_too_large,
  // Responses only.
  body_not_allowed,
  too_many_interim_responses,
};

// What is said of a fault. borrows: constants of the program.
struct error_description {
  parse_error error;
  int status;               // What a request with this fault is answered with.
  std::string_view name;    // A stable word for each fault, for logs, metrics and tests.
  std::string_view type;    // A stable word for each kind of refusal, the last part of a problem's `type`.
  std::string_view detail;  // One sentence for a problem's `detail`.
};

const error_description& describe(parse_error error);

inline int status_of(parse_error error) {
  return describe(error).status;
}
inline std::string_view name_of(parse_error error) {
  return describe(error).name;
}

}  // namespace onceward::http
