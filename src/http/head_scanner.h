// The strict layer in front of the parser: finds where a head and its lines end and refuses raw bytes that two
// implementations could read differently: bare CR and LF, control characters, folded lines, a start line of another
// protocol, too much of anything. What it lets through has only whole CRLF lines; none begins with white space.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "http/errors.h"
#include "http/limits.h"

namespace onceward::http {

enum class head_kind : std::uint8_t { request, response };

// Where the parts of a line are, in bytes from where the input begins. The next line begins behind its CRLF.
struct line_marks {
  std::size_t part_end;  // The first space of a request line, or the first colon of a field; 0 if there is none.
  std::size_t end;
};

class head_scanner {
 public:
  struct incomplete {};
  // The head is input[begin, end). borrows: its lines from the scanner, until reset().
  struct found {
    std::size_t begin;
    std::size_t end;
    line_marks start_line;
    std::span<const line_marks> fields;
  };
  using outcome = std::variant<incomplete, found, parse_error>;

  explicit head_scanner(head_kind kind) : kind_(kind) { fields_.reserve(fields_reserved); }

  // `input` begins where it began at the first call since reset(), and has at least the bytes it had then. Not to be
  // called again after a head was found.
  outcome scan(std::string_view input, const head_limits& limits);

  void reset();

  bool idle() const { return seen_bytes_ == begin_; }

 private:
  enum class stage : std::uint8_t { start_line, fields, ended };

  static constexpr std::size_t fields_reserved = 16;

  std::optional<parse_error> end_start_line(std::string_view line, const head_limits& limits);
  outcome without_line_end(std::string_view input, std::size_t limit, const head_limits& limits) const;
  std::size_t limit_bytes(const head_limits& limits) const;
  parse_error beyond_limit(std::string_view head, const head_limits& limits) const;

  head_kind kind_;
  stage stage_ = stage::start_line;
  std::size_t begin_ = 0;       // After an empty line that was skipped.
  std::size_t line_begin_ = 0;  // Of the line being looked at.
  std::size_t position_ = 0;    // Everything before it was looked at.
  std::size_t seen_bytes_ = 0;
  std::size_t colon_ = 0;  // The first of the line being looked at; 0 if there is none yet.
  line_marks start_line_{};
  std::vector<line_marks> fields_;
};

}  // namespace onceward::http
