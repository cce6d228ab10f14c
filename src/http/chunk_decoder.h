// The chunked transfer coding (RFC 9112 section 7.1), read strictly: every byte has exactly one reading, or is refused.
//
// A chunk size is 1 to 16 hexadecimal digits and nothing else; extensions must parse; every line ends in CRLF; data is
// followed by CRLF at once; trailers must be field lines. Extensions and trailers are then forgotten: nobody behind
// this program ever sees them, so nobody can disagree about them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "http/errors.h"
#include "http/limits.h"

namespace onceward::http {

// One step through a body. borrows: `data` from the input, as long as its bytes stay.
struct body_progress {
  std::string_view data;     // The next piece of the body, a view of the input; may be empty.
  std::size_t consumed = 0;  // How much of the input was used up, the data included.
  bool done = false;         // The body is complete.
};

class chunk_decoder {
 public:
  explicit chunk_decoder(const body_limits& limits = {}) : limits_(limits) {}

  // Takes the next piece of data with the framing before it. Call again with what is left of the input until it is
  // done, fails, or consumed all of it. After done or an error: no further calls.
  std::variant<body_progress, parse_error> consume(std::string_view input);

 private:
  enum class state : std::uint8_t {
    size_first_digit,
    size,
    size_line_feed,
    // Extensions: *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )
    before_semicolon,
    before_extension_name,
    extension_name,
    after_extension_name,
    before_extension_value,
    extension_token,
    extension_quoted,
    extension_quoted_pair,
    after_extension_value,
    data,
    data_carriage_return,
    data_line_feed,
    trailer_start,
    trailer_name,
    trailer_value,
    trailer_line_feed,
    last_line_feed,
    done,
  };

  std::optional<parse_error> step(char c);
  std::optional<parse_error> step_size(char c);
  std::optional<parse_error> end_size_line(char c);
  std::optional<parse_error> step_extension(char c);
  std::optional<parse_error> step_trailer(char c);
  static std::optional<state> extension_state_after(state now, char c);

  body_limits limits_;
  state state_ = state::size_first_digit;
  std::uint64_t chunk_left_ = 0;  // While reading the size: the size so far; then the data still to come.
  std::uint64_t data_bytes_ = 0;
  std::size_t size_digits_ = 0;
  std::size_t line_bytes_ = 0;
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::size_t trailers_ = 0;
};

}  // namespace onceward::http
