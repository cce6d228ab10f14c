#include "gateway/route_pattern.h"

#include <algorithm>
#include <deque>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/ascii.h"
#include "gateway/config_finding.h"
#include "http/characters.h"
#include "http/target.h"

namespace onceward::gateway {
namespace {

char to_upper(char c) {
  return base::is_lower(c) ? static_cast<char>(c & ~0x20) : c;
}

bool equal_but_for_hex_case(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  std::size_t after_percent = 2;
  for (std::size_t i = 0; i < left.size(); ++i) {
    const bool is_hex = after_percent < 2;
    if (is_hex ? to_upper(left[i]) != to_upper(right[i]) : left[i] != right[i]) return false;
    after_percent = left[i] == '%' ? 0 : after_percent + 1;
  }
  return true;
}

// The segment of a path that begins at `begin`; the next begins one after its end.
std::string_view segment_at(std::string_view path, std::size_t begin) {
  return path.substr(begin, std::min(path.find('/', begin), path.size()) - begin);
}

}  // namespace

tl::expected<route_pattern, std::string> route_pattern::parse(std::string_view text) {
  if (!text.starts_with('/')) {
    return tl::unexpected(fmt::format("must begin with a slash, as in /v1/payments/*, not {}", in_quotes(text)));
  }
  if (text.size() > route_pattern_bytes_max) {
    return tl::unexpected(fmt::format("is longer than {} bytes", route_pattern_bytes_max));
  }
  if (!http::all_in(http::class_target, text) || text.find('?') != std::string_view::npos) {
    return tl::unexpected(fmt::format("must be a path without query and fragment, not {}", in_quotes(text)));
  }
  if (const auto found = http::classify_path(text); found != http::path_class::plain) {
    return tl::unexpected(
        fmt::format("matches nothing: paths like {} are ambiguous ({})", in_quotes(text), to_string(found)));
  }
  route_pattern pattern;
  pattern.text_ = text;
  for (std::size_t begin = 1; begin <= text.size();) {
    const std::string_view one = segment_at(text, begin);
    begin += one.size() + 1;
    if (one == "*") {
      pattern.segments_.push_back({segment_kind::one, {}});
    } else if (one == "**") {
      pattern.segments_.push_back({segment_kind::any_number, {}});
    } else if (one.find('*') != std::string_view::npos) {
      return tl::unexpected(
          fmt::format("has {}, but `*` and `**` stand for whole segments, as in /v1/*/items", in_quotes(one)));
    } else {
      pattern.segments_.push_back({segment_kind::literal, std::string(one)});
    }
  }
  if (pattern.segments_.size() > route_pattern_segments_max) {
    return tl::unexpected(fmt::format("has more than {} segments", route_pattern_segments_max));
  }
  return pattern;
}

bool route_pattern::segment::matches(std::string_view received) const {
  switch (kind) {
    case segment_kind::literal:
      return text == received || equal_but_for_hex_case(text, received);
    case segment_kind::one:
      return !received.empty();
    case segment_kind::any_number:
      return true;
  }
  return false;
}

bool route_pattern::matches(std::string_view path) const {
  // Only the last `**` is ever tried again with one segment more: what an earlier one could gain, this one can too.
  constexpr std::size_t none = std::string_view::npos;
  std::size_t next = 0;
  std::size_t begin = 1;
  std::size_t retry_next = none;
  std::size_t retry_begin = 0;
  while (begin <= path.size()) {
    const std::string_view received = segment_at(path, begin);
    if (next < segments_.size() && segments_[next].kind == segment_kind::any_number) {
      retry_next = ++next;
      retry_begin = begin;
    } else if (next < segments_.size() && segments_[next].matches(received)) {
      ++next;
      begin += received.size() + 1;
    } else if (retry_next != none) {
      next = retry_next;
      retry_begin += segment_at(path, retry_begin).size() + 1;
      begin = retry_begin;
    } else {
      return false;
    }
  }
  while (next < segments_.size() && segments_[next].kind == segment_kind::any_number)
    ++next;
  return next == segments_.size();
}

bool route_pattern::matches_everything() const {
  return std::all_of(segments_.begin(), segments_.end(),
                     [](const segment& one) { return one.kind == segment_kind::any_number; });
}

// ---- Coverage ------------------------------------------------------------------------------------------------------

route_pattern::places route_pattern::with_skipped(places from) const {
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    if ((from >> i & 1) != 0 && segments_[i].kind == segment_kind::any_number) from |= places{2} << i;
  }
  return from;
}

route_pattern::places route_pattern::after(places from, std::string_view received) const {
  places reached = 0;
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    if ((from >> i & 1) == 0 || !segments_[i].matches(received)) continue;
    reached |= (segments_[i].kind == segment_kind::any_number ? places{1} : places{2}) << i;
  }
  return with_skipped(reached);
}

// Looks for a path that the pattern matches and none of the others does, by walking all of them at once, one segment a
// step. Segments that no pattern names behave alike, so one of them stands for all.
struct route_pattern::cover_search {
  struct state {
    places reached;
    std::vector<places> others;
    auto operator<=>(const state&) const = default;
  };

  const route_pattern& pattern;
  std::span<const route_pattern* const> others;
  std::vector<std::string_view> segments;
  std::size_t work_left = 200'000;

  cover_search(const route_pattern& which, std::span<const route_pattern* const> by) : pattern(which), others(by) {
    segments = {"unnamed:segment", ""};
    for (const segment& one : pattern.segments_)
      segments.push_back(one.text);
    for (const route_pattern* other : others) {
      for (const segment& one : other->segments_)
        segments.push_back(one.text);
    }
    std::sort(segments.begin() + 2, segments.end());
    segments.erase(std::unique(segments.begin() + 2, segments.end()), segments.end());
  }

  state after(const state& from, places reached, std::string_view received) {
    state to{reached, {}};
    to.others.reserve(others.size());
    for (std::size_t i = 0; i < others.size(); ++i)
      to.others.push_back(others[i]->after(from.others[i], received));
    return to;
  }

  bool is_uncovered(const state& at) const {
    if (!pattern.accepts(at.reached)) return false;
    for (std::size_t i = 0; i < others.size(); ++i) {
      if (others[i]->accepts(at.others[i])) return false;
    }
    return true;
  }

  // True also when the search gave up.
  bool finds_uncovered_path() {
    state first{pattern.start(), {}};
    for (const route_pattern* other : others)
      first.others.push_back(other->start());
    std::set<state> seen{first};
    std::deque<state> open{std::move(first)};
    while (!open.empty()) {
      const state from = std::move(open.front());
      open.pop_front();
      for (const std::string_view received : segments) {
        const std::size_t work = others.size() + 1;
        if (work_left < work) return true;
        const places reached = pattern.after(from.reached, received);
        work_left -= reached == 0 ? 1 : work;
        if (reached == 0) continue;
        state to = after(from, reached, received);
        if (is_uncovered(to)) return true;
        // An empty segment is the last one of a plain path.
        if (!received.empty() && seen.insert(to).second) open.push_back(std::move(to));
      }
    }
    return false;
  }
};

bool route_pattern::covered_by(std::span<const route_pattern* const> others) const {
  return !others.empty() && !cover_search(*this, others).finds_uncovered_path();
}

}  // namespace onceward::gateway
