// The path pattern of a route: `*` stands for one segment that is not empty, `**` for any number of any segments, and
// everything else for itself, byte by byte (but for the case of hexadecimal digits after a `%`).
//
// A path is its segments: "/a/b" has two, "/a/" has `a` and an empty one, "/" has an empty one. So `/a/**` matches
// "/a",
// "/a/" and everything below, `/a/*` only "/a/x".
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace onceward::gateway {

// Beyond these a pattern is refused.
inline constexpr std::size_t route_pattern_bytes_max = 1024;
inline constexpr std::size_t route_pattern_segments_max = 32;

class route_pattern {
 public:
  // The rest of a sentence that begins with the name of the setting, if the text is no pattern or could match no path.
  static tl::expected<route_pattern, std::string> parse(std::string_view text);

  // `path` begins with a slash and is plain (http::classify_path). Does not allocate.
  bool matches(std::string_view path) const;

  // Whether every plain path that this pattern matches is matched by one of the others. Exact, but that it says false
  // where finding out would take long.
  bool covered_by(std::span<const route_pattern* const> others) const;

  // Whether it matches every path that there is.
  bool matches_everything() const;

  const std::string& text() const { return text_; }

 private:
  enum class segment_kind : std::uint8_t { literal, one, any_number };
  struct segment {
    segment_kind kind;
    std::string text;

    bool matches(std::string_view received) const;
  };

  // A set of places in the pattern, as bits: the segments that may come next; bit size() when nothing needs to.
  using places = std::uint64_t;
  static_assert(route_pattern_segments_max < 64);

  struct cover_search;

  places start() const { return with_skipped(1); }
  places with_skipped(places from) const;
  places after(places from, std::string_view received) const;
  bool accepts(places reached) const { return (reached >> segments_.size() & 1) != 0; }

  std::string text_;
  std::vector<segment> segments_;
};

}  // namespace onceward::gateway
