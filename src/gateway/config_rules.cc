#include "gateway/config_rules.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/policy.h"
#include "gateway/config.h"
#include "gateway/config_checks.h"
#include "gateway/config_contradictions.h"
#include "gateway/config_keys.h"
#include "gateway/route_pattern.h"

namespace onceward::gateway {
namespace {

// The rules of the profile that a map names, if it names one.
std::optional<core::policy> profile_of(config_reader& reader, const config_map* map) {
  const config_entry* entry = map != nullptr ? map->find("profile") : nullptr;
  if (entry == nullptr) return std::nullopt;
  const auto index = reader.word(entry->name, entry->node, core::profile_names());
  if (!index) return std::nullopt;
  return *core::profile(core::profile_names()[*index]);
}

core::policy built_in_rules() {
  return *core::profile("default");
}

class rules_reader {
 public:
  rules_reader(config_reader& reader, const config_entry* defaults, settings& into) : reader_(reader), into_(into) {
    if (defaults != nullptr) defaults_ = reader_.map(defaults->name, defaults->node);
    if (defaults_ != nullptr) defaults_where_ = defaults->where;
  }

  void read_defaults() {
    core::policy rules = profile_of(reader_, defaults_).value_or(built_in_rules());
    apply(reader_, core::rule_level::defaults, defaults_, rules);
    rules.name = "default";
    check_rules(reader_, {defaults_where_, nullptr, defaults_}, rules, into_);
    into_.defaults = std::move(rules);
  }

  void read_routes(const config_entry& entry) {
    if (std::holds_alternative<config_scalar>(entry.node.value))
      return reader_.wrong(entry.name, entry.node, "must be a list of maps, not one value");
    const auto items = reader_.items(entry.name, entry.node, "a list of maps");
    if (!items) return;
    if (items->size() > routes_max) {
      return reader_.wrong(entry.name, entry.node,
                           fmt::format("has {} items; at most {} are read", items->size(), routes_max));
    }
    for (const config_node& item : *items) {
      if (const config_map* map = reader_.map("a route", item)) read_route(item, *map);
    }
  }

 private:
  // A route that was read, with what later ones are compared with.
  struct known_route {
    route_pattern pattern;
    std::vector<std::string> methods;
    std::string name;
    int line;
  };

  void apply(config_reader& reader, core::rule_level level, const config_map* map, core::policy& rules) {
    if (map == nullptr) return;
    reader.level = level;
    read_keys(reader, *map, policy_keys(), rules);
  }

  // What the profile sets, then what the defaults say, then what the route says.
  core::policy rules_of(const config_map& own) {
    config_findings already_told;
    config_reader silent(already_told, {});
    std::optional<core::policy> rules = profile_of(reader_, &own);
    if (!rules) rules = profile_of(silent, defaults_);
    if (!rules) rules = built_in_rules();
    apply(silent, core::rule_level::defaults, defaults_, *rules);
    apply(reader_, core::rule_level::route, &own, *rules);
    return std::move(*rules);
  }

  void read_route(const config_node& item, const config_map& map) {
    const config_entry* match = map.find("match");
    if (match == nullptr) return reader_.error(item.where, "a route must say `match: { path: ... }`");
    config_map own = map;
    std::erase_if(own.entries, [](const config_entry& one) { return one.name == "match" || one.name == "name"; });

    route read;
    read.rules = rules_of(own);
    const std::optional<route_pattern> pattern = read_match(*match, read);
    if (!read.methods.empty() && !says(&map, "guarded_methods")) guard_unsafe_methods(read);
    read_name(map.find("name"), read);
    check_rules(reader_, {item.where, &map, defaults_}, read.rules, into_);
    check_route(item, map, read);
    if (!pattern) return;
    check_reachable(*match, *pattern, read);
    known_.push_back({*pattern, read.methods, read.rules.name, item.where.line});
    into_.routes.push_back(std::move(read));
  }

  std::optional<route_pattern> read_match(const config_entry& entry, route& read) {
    constexpr std::size_t methods_max = 32;
    constexpr std::array<std::string_view, 2> known{"path", "methods"};
    const config_map* map = reader_.map(entry.name, entry.node);
    if (map == nullptr) return std::nullopt;
    for (const config_entry& one : map->entries) {
      if (std::find(known.begin(), known.end(), one.name) == known.end()) reader_.unknown(one, known);
    }
    if (const config_entry* methods = map->find("methods")) {
      auto value = reader_.texts(methods->name, methods->node, check_method, methods_max);
      if (value && value->empty())
        reader_.wrong(methods->name, methods->node, "must name a method, or be left out for all");
      if (value) read.methods = std::move(*value);
    }
    const config_entry* path = map->find("path");
    if (path == nullptr) {
      reader_.error(entry.where, "`match` must say `path`");
      return std::nullopt;
    }
    const std::string* text = reader_.scalar(path->name, path->node, "a path such as /v1/payments/*");
    if (text == nullptr) return std::nullopt;
    auto pattern = route_pattern::parse(*text);
    if (!pattern) {
      reader_.wrong(path->name, path->node, pattern.error());
      return std::nullopt;
    }
    read.path = *text;
    return std::move(*pattern);
  }

  static void guard_unsafe_methods(route& read) {
    read.rules.methods.clear();
    for (const std::string& method : read.methods) {
      if (!check_guarded_method(method)) read.rules.methods.push_back(method);
    }
  }

  void read_name(const config_entry* entry, route& read) {
    read.rules.name = read.methods.empty() ? read.path : fmt::format("{} {}", fmt::join(read.methods, ","), read.path);
    if (entry == nullptr) return;
    auto name = reader_.text(entry->name, entry->node, check_route_name);
    if (!name) return;
    read.rules.name = std::move(*name);
    for (const known_route& other : known_) {
      if (other.name == read.rules.name) {
        reader_.wrong(entry->name, entry->node, fmt::format("is taken by the route in line {}", other.line));
      }
    }
    if (read.rules.name == "default")
      reader_.wrong(entry->name, entry->node, "cannot be `default`, which names the defaults");
  }

  void check_route(const config_node& item, const config_map& map, const route& read) {
    if (read.rules.operation == core::operation_kind::route && map.find("name") == nullptr) {
      reader_.warn(
          place_of({item.where, &map, defaults_}, "operation"),
          "under `operation: route` records belong to the route's name: give it a `name` that outlives its `match`");
    }
    const bool guards_something =
        std::any_of(read.rules.methods.begin(), read.rules.methods.end(), [&](const auto& method) {
          return read.methods.empty() ||
                 std::find(read.methods.begin(), read.methods.end(), method) != read.methods.end();
        });
    if (!guards_something) {
      reader_.warn(item.where, "this route guards nothing: none of the methods that it matches is guarded");
    }
  }

  // Method by method, because routes for different methods may together leave nothing.
  void check_reachable(const config_entry& match, const route_pattern& pattern, const route& read) {
    const auto is_for = [](const known_route& other, const std::string& method) {
      return other.methods.empty() ||
             std::find(other.methods.begin(), other.methods.end(), method) != other.methods.end();
    };
    // No method: all of them, which only routes for all of them cover.
    const std::vector<std::string> methods = read.methods.empty() ? std::vector<std::string>{""} : read.methods;
    std::vector<int> lines;
    for (const std::string& method : methods) {
      std::vector<const route_pattern*> before;
      for (const known_route& other : known_) {
        if (is_for(other, method)) before.push_back(&other.pattern);
      }
      if (!pattern.covered_by(before)) return;
      for (const known_route& other : known_) {
        const route_pattern* const one[] = {&other.pattern};
        if (!is_for(other, method) || !pattern.covered_by(one)) continue;
        lines.push_back(other.line);
        break;
      }
    }
    std::sort(lines.begin(), lines.end());
    lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
    reader_.error(
        match.where,
        lines.size() == 1
            ? fmt::format("this route can never match: the route in line {} takes all its requests", lines.front())
            : "this route can never match: the routes before it take all its requests");
  }

  config_reader& reader_;
  settings& into_;
  const config_map* defaults_ = nullptr;
  config_position defaults_where_;
  std::vector<known_route> known_;
};

}  // namespace

void read_rules(config_reader& reader, const config_entry* defaults, const config_entry* routes, settings& into) {
  rules_reader rules(reader, defaults, into);
  rules.read_defaults();
  if (routes != nullptr) rules.read_routes(*routes);
}

}  // namespace onceward::gateway
