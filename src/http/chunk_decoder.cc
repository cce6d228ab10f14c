#include "http/chunk_decoder.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/assert.h"
#include "http/characters.h"

namespace onceward::http {

std::variant<body_progress, parse_error> chunk_decoder::consume(std::string_view input) {
  onceward_assert(state_ != state::done);
  const char* const bytes = input.data();
  for (std::size_t i = 0; i < input.size();) {
    if (state_ == state::data) {
      const std::size_t piece = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, input.size() - i));
      chunk_left_ -= piece;
      data_bytes_ += piece;
      if (chunk_left_ == 0) state_ = state::data_carriage_return;
      return body_progress{input.substr(i, piece), i + piece, false};
    }
    if (const auto error = step(bytes[i])) return *error;
    ++i;
    if (state_ == state::done) return body_progress{{}, i, true};
  }
  return body_progress{{}, input.size(), false};
}

std::optional<parse_error> chunk_decoder::step(char c) {
  switch (state_) {
    case state::size_first_digit:
    case state::size:
      return step_size(c);
    case state::before_semicolon:
    case state::before_extension_name:
    case state::extension_name:
    case state::after_extension_name:
    case state::before_extension_value:
    case state::extension_token:
    case state::extension_quoted:
    case state::extension_quoted_pair:
    case state::after_extension_value:
      return step_extension(c);
    case state::size_line_feed:
      return end_size_line(c);
    case state::data_carriage_return:
      state_ = state::data_line_feed;
      return c == '\r' ? std::nullopt : std::optional(parse_error::chunk_data_malformed);
    case state::data_line_feed:
      state_ = state::size_first_digit;
      return c == '\n' ? std::nullopt : std::optional(parse_error::chunk_data_malformed);
    case state::trailer_start:
    case state::trailer_name:
    case state::trailer_value:
    case state::trailer_line_feed:
      return step_trailer(c);
    case state::last_line_feed:
      state_ = state::done;
      return c == '\n' ? std::nullopt : std::optional(parse_error::chunk_line_malformed);
    case state::data:
    case state::done:
      break;
  }
  onceward_unreachable("data and the end are not read byte by byte");
}

std::optional<parse_error> chunk_decoder::step_size(char c) {
  const int digit = base::hex_digit_value(c);
  if (digit >= 0) {
    if (++size_digits_ > chunk_size_digits_max) return parse_error::chunk_size_malformed;
    if (++line_bytes_ > limits_.chunk_line_bytes_max) return parse_error::chunk_line_too_long;
    chunk_left_ = chunk_left_ << 4 | static_cast<std::uint64_t>(digit);
    state_ = state::size;
    return std::nullopt;
  }
  if (state_ == state::size_first_digit) return parse_error::chunk_size_malformed;
  if (c == '\r') {
    state_ = state::size_line_feed;
    return std::nullopt;
  }
  if (c == '\n') return parse_error::chunk_line_malformed;
  if (c != ';' && !is_space_or_tab(c)) return parse_error::chunk_size_malformed;
  state_ = state::before_semicolon;
  return step_extension(c);
}

std::optional<parse_error> chunk_decoder::end_size_line(char c) {
  if (c != '\n') return parse_error::chunk_line_malformed;
  size_digits_ = 0;
  line_bytes_ = 0;
  if (chunk_left_ == 0) {
    state_ = state::trailer_start;
    return std::nullopt;
  }
  if (chunk_left_ > limits_.body_bytes_max - data_bytes_) return parse_error::body_too_large;
  state_ = state::data;
  return std::nullopt;
}

// White space is taken where the grammar has it, and only there: never at the end of the line.
std::optional<parse_error> chunk_decoder::step_extension(char c) {
  const bool may_end =
      state_ == state::extension_name || state_ == state::extension_token || state_ == state::after_extension_value;
  if (c == '\r' && may_end) {
    state_ = state::size_line_feed;
    return std::nullopt;
  }
  if (c == '\n' && may_end) return parse_error::chunk_line_malformed;
  if (++line_bytes_ > limits_.chunk_line_bytes_max) return parse_error::chunk_line_too_long;
  if (++extension_bytes_ > limits_.chunk_extension_bytes_max) return parse_error::chunk_extensions_too_large;
  const auto next = extension_state_after(state_, c);
  if (!next) return parse_error::chunk_extension_malformed;
  state_ = *next;
  return std::nullopt;
}

// The grammar of an extension, without its ends.
std::optional<chunk_decoder::state> chunk_decoder::extension_state_after(state now, char c) {
  const bool space = is_space_or_tab(c);
  switch (now) {
    case state::before_semicolon:
      if (space) return now;
      if (c == ';') return state::before_extension_name;
      return std::nullopt;
    case state::before_extension_name:
      if (space) return now;
      if (is_tchar(c)) return state::extension_name;
      return std::nullopt;
    case state::extension_name:
      if (is_tchar(c)) return now;
      [[fallthrough]];
    case state::after_extension_name:
      if (space) return state::after_extension_name;
      if (c == '=') return state::before_extension_value;
      if (c == ';') return state::before_extension_name;
      return std::nullopt;
    case state::before_extension_value:
      if (space) return now;
      if (c == '"') return state::extension_quoted;
      if (is_tchar(c)) return state::extension_token;
      return std::nullopt;
    case state::extension_quoted:
      if (c == '"') return state::after_extension_value;
      if (c == '\\') return state::extension_quoted_pair;
      if (is_in(class_field, c)) return now;
      return std::nullopt;
    case state::extension_quoted_pair:
      if (is_in(class_field, c)) return state::extension_quoted;
      return std::nullopt;
    case state::extension_token:
      if (is_tchar(c)) return now;
      [[fallthrough]];
    case state::after_extension_value:
      if (space) return state::before_semicolon;
      if (c == ';') return state::before_extension_name;
      return std::nullopt;
    case state::size_first_digit:
    case state::size:
    case state::size_line_feed:
    case state::data:
    case state::data_carriage_return:
    case state::data_line_feed:
    case state::trailer_start:
    case state::trailer_name:
    case state::trailer_value:
    case state::trailer_line_feed:
    case state::last_line_feed:
    case state::done:
      break;
  }
  return std::nullopt;
}

std::optional<parse_error> chunk_decoder::step_trailer(char c) {
  if (state_ == state::trailer_start && c == '\r') {
    state_ = state::last_line_feed;
    return std::nullopt;
  }
  if (++trailer_bytes_ > limits_.trailer_bytes_max) return parse_error::trailers_too_large;
  if (state_ == state::trailer_start) {
    if (++trailers_ > limits_.trailers_max) return parse_error::trailers_too_large;
    state_ = state::trailer_name;
    return is_tchar(c) ? std::nullopt : std::optional(parse_error::trailer_malformed);
  }
  if (state_ == state::trailer_name) {
    if (c == ':') state_ = state::trailer_value;
    return c == ':' || is_tchar(c) ? std::nullopt : std::optional(parse_error::trailer_malformed);
  }
  if (state_ == state::trailer_value) {
    if (c == '\r') state_ = state::trailer_line_feed;
    return c == '\r' || is_in(class_field, c) ? std::nullopt : std::optional(parse_error::trailer_malformed);
  }
  state_ = state::trailer_start;
  return c == '\n' ? std::nullopt : std::optional(parse_error::trailer_malformed);
}

}  // namespace onceward::http
