#include "gateway/route_table.h"

#include <algorithm>
#include <utility>

#include "http/target.h"

namespace onceward::gateway {
namespace {

bool contains(const std::vector<std::string>& methods, std::string_view method) {
  return std::find(methods.begin(), methods.end(), method) != methods.end();
}

}  // namespace

tl::expected<route_table, core::policy_error> route_table::make(const settings& from) {
  route_table table;
  table.entries_.reserve(from.routes.size() + 1);
  for (const route& one : from.routes) {
    auto pattern = route_pattern::parse(one.path);
    if (!pattern) return tl::unexpected(core::policy_error{"match.path", std::move(pattern.error())});
    auto rules = core::prepare(one.rules);
    if (!rules) return tl::unexpected(std::move(rules.error()));
    table.entries_.push_back({std::move(*pattern), one.methods, std::move(*rules)});
  }
  auto rules = core::prepare(from.defaults);
  if (!rules) return tl::unexpected(std::move(rules.error()));
  table.entries_.push_back({std::nullopt, {}, std::move(*rules)});
  return table;
}

bool route_table::entry::is_for(std::string_view method) const {
  return methods.empty() || contains(methods, method);
}

bool route_table::entry::guards(std::string_view method) const {
  return contains(rules.rules.methods, method);
}

std::optional<route_match> route_table::match(std::string_view method, std::string_view path) const {
  const std::size_t defaults = entries_.size() - 1;
  // The asterisk and authority forms of a target have no path that a pattern could mean.
  if (defaults == 0 || !path.starts_with('/')) return at(defaults);
  if (http::classify_path(path) != http::path_class::plain) return match_ambiguous(method);
  for (std::size_t i = 0; i < defaults; ++i) {
    if (entries_[i].is_for(method) && entries_[i].pattern->matches(path)) return at(i);
  }
  return at(defaults);
}

// All routes that a reading of the path could lead to: if there is only one, or none of them guards the method, the
// path is no danger and passes.
std::optional<route_match> route_table::match_ambiguous(std::string_view method) const {
  std::optional<std::size_t> first;
  bool is_guarded = false;
  std::size_t candidates = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const entry& one = entries_[i];
    if (!one.is_for(method)) continue;
    if (!first) first = i;
    is_guarded = is_guarded || one.guards(method);
    ++candidates;
    if (one.pattern && one.pattern->matches_everything()) break;
  }
  if (candidates > 1 && is_guarded) return std::nullopt;
  return at(*first);
}

}  // namespace onceward::gateway
