#include "http/body_reader.h"

#include <algorithm>

namespace onceward::http {

namespace {

bool is_empty(const body_framing& framing) {
  const auto* length = std::get_if<content_length>(&framing);
  return length != nullptr ? length->bytes == 0 : std::holds_alternative<no_body>(framing);
}

}  // namespace

body_reader::body_reader(const body_framing& framing, const body_limits& limits)
    : framing_(framing), body_bytes_max_(limits.body_bytes_max), chunks_(limits), done_(is_empty(framing)) {}

std::variant<body_progress, parse_error> body_reader::consume(std::string_view input) {
  if (done_) return body_progress{{}, 0, true};
  if (std::holds_alternative<chunked>(framing_)) {
    const auto step = chunks_.consume(input);
    if (const auto* progress = std::get_if<body_progress>(&step)) {
      data_bytes_ += progress->data.size();
      done_ = progress->done;
    }
    return step;
  }

  std::size_t piece = input.size();
  if (const auto* length = std::get_if<content_length>(&framing_)) {
    if (length->bytes > body_bytes_max_) return parse_error::body_too_large;
    const std::uint64_t left = length->bytes - data_bytes_;
    done_ = piece >= left;
    piece = static_cast<std::size_t>(std::min<std::uint64_t>(piece, left));
  } else if (piece > body_bytes_max_ - data_bytes_) {
    return parse_error::body_too_large;
  }
  data_bytes_ += piece;
  return body_progress{input.substr(0, piece), piece, done_};
}

std::optional<parse_error> body_reader::finish() {
  if (std::holds_alternative<until_close>(framing_)) done_ = true;
  return done_ ? std::nullopt : std::optional(parse_error::body_truncated);
}

}  // namespace onceward::http
