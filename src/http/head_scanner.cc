#include "http/head_scanner.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "base/assert.h"
#include "http/characters.h"

namespace onceward::http {

namespace {

constexpr std::size_t crlf_bytes = 2;
constexpr std::string_view version_prefix = "HTTP/";

// Of a request, `text` being what follows the last space of its first line.
std::optional<parse_error> check_version(std::string_view text) {
  const bool has_size = text.size() == version_prefix.size() + 3;
  if (has_size && text.starts_with("HTTP/1.") && (text[7] == '1' || text[7] == '0')) return std::nullopt;
  // Another major version is told apart only if it is written as one: HTTP/DIGIT.DIGIT (RFC 9112 section 2.3).
  const bool well_formed = has_size && text.starts_with(version_prefix) && base::is_digit(text[5]) && text[6] == '.' &&
                           base::is_digit(text[7]);
  return well_formed && text[5] != '1' ? parse_error::version_unsupported : parse_error::version_malformed;
}

bool has_long_method(std::string_view line, const head_limits& limits) {
  return line.size() > limits.method_bytes_max && is_token(line.substr(0, limits.method_bytes_max + 1));
}

// `method_end` is the first space of the line, or no position.
std::optional<parse_error> check_request_line(std::string_view line, std::size_t method_end,
                                              const head_limits& limits) {
  if (line == "PRI * HTTP/2.0") return parse_error::http2_preface;
  if (method_end > limits.method_bytes_max && has_long_method(line, limits)) return parse_error::method_too_long;
  if (method_end == std::string_view::npos) return parse_error::request_line_malformed;
  const std::size_t target_end = line.find(' ', method_end + 1);
  if (target_end == std::string_view::npos) return parse_error::request_line_malformed;
  if (!is_token(between(line, 0, method_end))) return parse_error::method_malformed;
  if (target_end == method_end + 1) return parse_error::request_line_malformed;
  const std::string_view version = between(line, target_end + 1, line.size());
  const auto error = check_version(version);
  // Then a space was inside the target. The rest of the target is read later.
  if (error && version.find(' ') != std::string_view::npos) return parse_error::request_line_malformed;
  return error;
}

std::optional<parse_error> check_status_line(std::string_view line) {
  // HTTP-version SP status-code SP [ reason-phrase ]
  const bool shaped = line.size() >= 13 && line.starts_with(version_prefix) && line[8] == ' ' && line[12] == ' ';
  if (!shaped) return parse_error::status_line_malformed;
  if (const auto error = check_version(between(line, 0, 8))) return error;
  const bool is_status = line[9] >= '1' && line[9] <= '5' && base::is_digit(line[10]) && base::is_digit(line[11]);
  return is_status ? std::nullopt : std::optional(parse_error::status_invalid);
}

}  // namespace

void head_scanner::reset() {
  stage_ = stage::start_line;
  begin_ = line_begin_ = position_ = seen_bytes_ = colon_ = 0;
  fields_.clear();
}

// One pass from control character to control character, and on the way the first colon of each line: everything in
// between is text that needs no look here.
head_scanner::outcome head_scanner::scan(std::string_view input, const head_limits& limits) {
  onceward_assert(stage_ != stage::ended && input.size() >= seen_bytes_ && position_ <= input.size());
  seen_bytes_ = input.size();
  const char* const bytes = input.data();
  while (true) {
    const std::size_t limit = limit_bytes(limits);
    const char* const stop = bytes + std::min(input.size(), limit);
    const auto [at, colon] = find_control_and_colon(bytes + position_, stop);
    if (colon_ == 0 && colon != nullptr) colon_ = static_cast<std::size_t>(colon - bytes);
    position_ = static_cast<std::size_t>(at - bytes);
    if (stop - at < 2 || at[0] != '\r' || at[1] != '\n') return without_line_end(input, limit, limits);

    const line_marks marks{colon_, position_};
    const std::string_view line = between(input, line_begin_, position_);
    colon_ = 0;
    position_ += crlf_bytes;
    line_begin_ = position_;
    if (stage_ == stage::start_line) {
      if (const auto error = end_start_line(line, limits)) return *error;
      continue;
    }
    if (line.empty()) {
      stage_ = stage::ended;
      return found{begin_, position_, start_line_, fields_};
    }
    if (is_space_or_tab(line.front())) return parse_error::folded_line;
    if (fields_.size() >= limits.fields_max) return parse_error::too_many_fields;
    fields_.push_back(marks);
  }
}

// Where no whole CRLF is: the bytes end here or go too far, or this is a control character that ends no line.
head_scanner::outcome head_scanner::without_line_end(std::string_view input, std::size_t limit,
                                                     const head_limits& limits) const {
  const std::string_view rest = between(input, position_, std::min(input.size(), limit));
  if (rest.empty() || rest == "\r") {
    if (input.size() < limit) return incomplete{};
    return beyond_limit(between(input, begin_, limit), limits);
  }
  if (rest.front() == '\n') return parse_error::bare_line_feed;
  return rest.front() == '\r' ? parse_error::bare_carriage_return : parse_error::control_character;
}

std::optional<parse_error> head_scanner::end_start_line(std::string_view line, const head_limits& limits) {
  if (line.empty()) {
    // Some clients end a body with a line end too many (RFC 9112 section 2.2).
    if (kind_ == head_kind::response || begin_ != 0) return parse_error::empty_line_before_message;
    begin_ = line_begin_;
    return std::nullopt;
  }
  stage_ = stage::fields;
  start_line_ = {0, begin_ + line.size()};
  if (kind_ == head_kind::response) return check_status_line(line);
  const std::size_t method_end = line.find(' ');
  start_line_.part_end = begin_ + method_end;
  return check_request_line(line, method_end, limits);
}

// Where the scan stops whatever the input has: a line or head that does not end before is too large.
std::size_t head_scanner::limit_bytes(const head_limits& limits) const {
  const std::size_t whole = begin_ + limits.head_bytes_max;
  return stage_ == stage::fields ? whole : std::min(whole, begin_ + limits.start_line_bytes_max + crlf_bytes);
}

parse_error head_scanner::beyond_limit(std::string_view head, const head_limits& limits) const {
  if (stage_ == stage::fields) return parse_error::head_too_large;
  if (kind_ == head_kind::response) return parse_error::status_line_malformed;
  if (has_long_method(head, limits)) return parse_error::method_too_long;
  return is_token(head.substr(0, head.find(' '))) ? parse_error::target_too_long : parse_error::method_malformed;
}

}  // namespace onceward::http
