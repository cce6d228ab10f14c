// Every limit of an HTTP message in one place, with what happens beyond it. The defaults are those of the gateway.
#pragma once

#include <cstddef>
#include <cstdint>

namespace onceward::http {

// Of a message head, in requests and responses. Beyond a limit the connection cannot be used further.
struct head_limits {
  std::size_t start_line_bytes_max = 8192;  // Without its CRLF. Beyond: 414.
  std::size_t method_bytes_max = 32;        // Beyond: 501.
  std::size_t head_bytes_max = 32768;       // Start line, fields and the empty line, all with their CRLF. Beyond: 431.
  std::size_t fields_max = 100;             // Field lines. Beyond: 431.
  std::size_t interim_responses_max = 16;   // 1xx heads before one final response. Beyond: the response is malformed.
};

// Of a message body.
struct body_limits {
  std::uint64_t body_bytes_max = UINT64_MAX;      // After the chunked coding is removed. Beyond: 413.
  std::size_t chunk_line_bytes_max = 4096;        // Size and extensions, without the CRLF. Beyond: 400.
  std::size_t chunk_extension_bytes_max = 16384;  // All extensions of one body together. Beyond: 400.
  std::size_t trailer_bytes_max = 8192;           // All trailer lines with their CRLF. Beyond: 431.
  std::size_t trailers_max = 64;                  // Trailer lines. Beyond: 431.
};

// A chunk size has at most this many hexadecimal digits, leading zeros included, so that it cannot overflow. Beyond:
// 400.
inline constexpr std::size_t chunk_size_digits_max = 16;

// All Connection lines of a head together, because every forwarded field is looked for in them. Beyond: 431.
inline constexpr std::size_t connection_bytes_max = 256;

// An Item has at most this many parameters, as RFC 9651 section 3.1.2 asks every parser to take. Beyond: not an Item.
inline constexpr std::size_t sf_parameters_max = 256;

}  // namespace onceward::http
