#include "http/errors.h"

#include <array>
#include <cstddef>

namespace onceward::http {

namespace {

using enum parse_error;

// In the order of parse_error.
constexpr std::array descriptions = {
    error_description{request_line_malformed, 400, "request_line_malformed", "bad-request",
                      "The request line is not a method, a target and a version, separated by one space each."},
    error_description{method_malformed, 400, "method_malformed", "bad-request", "The method is not a token."},
    error_description{method_too_long, 501, "method_too_long", "not-implemented",
                      "The method is longer than any that is implemented."},
    error_description{target_malformed, 400, "target_malformed", "bad-request",
                      "The request target is not valid, or is not of a form that the method allows."},
    error_description{target_too_long, 414, "target_too_long", "uri-too-long",
                      "The request target is longer than this server accepts."},
    error_description{version_malformed, 400, "version_malformed", "bad-request",
                      "The protocol version is not HTTP/1.0 or HTTP/1.1."},
    error_description{version_unsupported, 505, "version_unsupported", "version-not-supported",
                      "The major version of HTTP in the request line is not supported on this connection."},
    error_description{http2_preface, 505, "http2_preface", "version-not-supported",
                      "HTTP/2 is not spoken on this connection."},
    error_description{status_line_malformed, 502, "status_line_malformed", "bad-response",
                      "The status line is not a version, a status and a reason, separated by one space each."},
    error_description{status_invalid, 502, "status_invalid", "bad-response",
                      "The status is not a number from 100 to 599."},
    error_description{empty_line_before_message, 400, "empty_line_before_message", "bad-request",
                      "The message begins with more empty lines than are ignored."},
    error_description{bare_carriage_return, 400, "bare_carriage_return", "bad-request",
                      "The head contains a carriage return that is not part of a line end."},
    error_description{bare_line_feed, 400, "bare_line_feed", "bad-request",
                      "The head contains a line that does not end in a carriage return and a line feed."},
    error_description{control_character, 400, "control_character", "bad-request",
                      "The head contains a control character."},
    error_description{folded_line, 400, "folded_line", "bad-request", "A line of the head begins with white space."},
    error_description{field_malformed, 400, "field_malformed", "bad-request",
                      "A field line is not a name, a colon right after it, and a value."},
    error_description{field_name_refused, 400, "field_name_refused", "bad-request",
                      "A field name contains an underscore, which this server refuses."},
    error_description{head_too_large, 431, "head_too_large", "header-fields-too-large",
                      "The header fields together are larger than this server accepts."},
    error_description{too_many_fields, 431, "too_many_fields", "header-fields-too-large",
                      "The head has more fields than this server accepts."},
    error_description{host_missing, 400, "host_missing", "bad-request", "The request has no Host field."},
    error_description{host_repeated, 400, "host_repeated", "bad-request", "The request has more than one Host field."},
    error_description{host_malformed, 400, "host_malformed", "bad-request",
                      "The Host field is not one host with an optional port."},
    error_description{content_length_malformed, 400, "content_length_malformed", "bad-request",
                      "Content-Length is not one decimal number."},
    error_description{content_length_repeated, 400, "content_length_repeated", "bad-request",
                      "The message has more than one Content-Length."},
    error_description{transfer_encoding_malformed, 400, "transfer_encoding_malformed", "bad-request",
                      "Transfer-Encoding does not end in chunked, exactly once."},
    error_description{transfer_encoding_repeated, 400, "transfer_encoding_repeated", "bad-request",
                      "The message has more than one Transfer-Encoding."},
    error_description{transfer_encoding_unsupported, 501, "transfer_encoding_unsupported", "not-implemented",
                      "Transfer-Encoding names a coding other than chunked."},
    error_description{transfer_encoding_in_http_1_0, 400, "transfer_encoding_in_http_1_0", "bad-request",
                      "HTTP/1.0 has no Transfer-Encoding."},
    error_description{transfer_encoding_and_content_length, 400, "transfer_encoding_and_content_length", "bad-request",
                      "The message has both Transfer-Encoding and Content-Length."},
    error_description{connection_malformed, 400, "connection_malformed", "bad-request",
                      "Connection is not a list of tokens."},
    error_description{connection_names_protected_field, 400, "connection_names_protected_field", "bad-request",
                      "Connection names a field that must reach the server."},
    error_description{expectation_malformed, 400, "expectation_malformed", "bad-request",
                      "Expect is not one expectation."},
    error_description{expectation_unsupported, 417, "expectation_unsupported", "expectation-failed",
                      "No expectation but 100-continue is supported."},
    error_description{body_too_large, 413, "body_too_large", "too-large",
                      "The body is larger than this server accepts."},
    error_description{body_truncated, 400, "body_truncated", "bad-request",
                      "The connection was closed before the body was complete."},
    error_description{chunk_size_malformed, 400, "chunk_size_malformed", "bad-request",
                      "A chunk size is not 1 to 16 hexadecimal digits."},
    error_description{chunk_line_malformed, 400, "chunk_line_malformed", "bad-request",
                      "A line of the chunked coding does not end in a carriage return and a line feed."},
    error_description{chunk_line_too_long, 400, "chunk_line_too_long", "bad-request",
                      "A chunk's first line is longer than this server accepts."},
    error_description{chunk_extension_malformed, 400, "chunk_extension_malformed", "bad-request",
                      "A chunk extension is not valid."},
    error_description{chunk_extensions_too_large, 400, "chunk_extensions_too_large", "bad-request",
                      "The chunk extensions together are larger than this server accepts."},
    error_description{chunk_data_malformed, 400, "chunk_data_malformed", "bad-request",
                      "A chunk's data is not followed by a line end."},
    error_description{trailer_malformed, 400, "trailer_malformed", "bad-request",
                      "A trailer is not a valid field line."},
    error_description{trailers_too_large, 431, "trailers_too_large", "header-fields-too-large",
                      "The trailers together are larger or more than this server accepts."},
    error_description{body_not_allowed, 502, "body_not_allowed", "bad-response",
                      "The response declares a body that its status does not allow."},
    error_description{too_many_interim_responses, 502, "too_many_interim_responses", "bad-response",
                      "Too many interim responses came before the final one."},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < descriptions.size(); ++i) {
    if (descriptions[i].error != static_cast<parse_error>(i)) return false;
  }
  return descriptions.back().error == too_many_interim_responses;
}
static_assert(in_order());

}  // namespace

const error_description& describe(parse_error error) {
  return descriptions[static_cast<std::size_t>(error)];
}

}  // namespace onceward::http
