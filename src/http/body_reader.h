// Takes a message body out of a connection's bytes, in place: the data comes back as views of the input.
//
// The body ends where its framing says and not a byte later; what follows belongs to the next message and is never
// looked at. Chunk extensions and trailers are checked, counted and dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "http/chunk_decoder.h"
#include "http/errors.h"
#include "http/framing.h"
#include "http/limits.h"

namespace onceward::http {

class body_reader {
 public:
  // An empty body that is done.
  body_reader() : body_reader(no_body{}, {}) {}
  body_reader(const body_framing& framing, const body_limits& limits);

  // Takes the next piece. Call again with what is left of the input until it is done, fails, or has consumed all of it.
  // A declared length over the limit fails at the first call. After an error: no further calls.
  std::variant<body_progress, parse_error> consume(std::string_view input);

  // The peer has closed. Nothing if the body is thereby or already complete, else why it is not.
  std::optional<parse_error> finish();

  bool done() const { return done_; }

  // Delivered so far.
  std::uint64_t data_bytes() const { return data_bytes_; }

 private:
  body_framing framing_;
  std::uint64_t body_bytes_max_;
  std::uint64_t data_bytes_ = 0;
  chunk_decoder chunks_;
  bool done_;
};

}  // namespace onceward::http
