#include "gateway/config_contradictions.h"

#include <array>
#include <chrono>
#include <optional>

#include <fmt/format.h>

#include "core/prepared_policy.h"
#include "gateway/config_text.h"
#include "http/fields.h"

namespace onceward::gateway {
namespace {

using namespace std::chrono_literals;

// The place of a setting such as "key.pattern" in a map, or of as much of it as is there.
std::optional<config_position> place_in(const config_map* map, std::string_view setting) {
  std::optional<config_position> place;
  while (map != nullptr && !setting.empty()) {
    const std::size_t dot = setting.find('.');
    const config_entry* entry = map->find(setting.substr(0, dot));
    if (entry == nullptr) break;
    place = entry->node.where;
    map = std::get_if<config_map>(&entry->node.value);
    setting = dot == std::string_view::npos ? std::string_view{} : setting.substr(dot + 1);
  }
  return place;
}

void check_scope(config_reader& reader, const rules_source& source, const core::policy& rules, const settings& all) {
  if (rules.scope.kind == core::scope_kind::header && all.trusted_peers.empty()) {
    reader.error(
        place_of(source, "scope.header"),
        fmt::format("`scope: {{ header: {} }}` needs `trusted_peers`: otherwise any client could choose its scope",
                    rules.scope.header));
  }
  if (rules.scope.kind == core::scope_kind::credential && rules.scope.credential_headers.empty() &&
      rules.scope.cookie.empty() && says(source.route != nullptr ? source.route : source.defaults, "scope")) {
    reader.warn(place_of(source, "scope.credential.headers"),
                "`headers` is empty, so the `Cookie` field alone says who calls");
  }
}

void check_fingerprint(config_reader& reader, const rules_source& source, const core::policy& rules) {
  const core::fingerprint_policy& fingerprint = rules.fingerprint;
  if (fingerprint.enabled && fingerprint.body != core::body_recipe::json) {
    if (!fingerprint.include.empty()) {
      reader.error(place_of(source, "fingerprint.include"), "`include` needs `body: json`");
    }
    if (!fingerprint.exclude.empty()) {
      reader.error(place_of(source, "fingerprint.exclude"), "`exclude` needs `body: json`");
    }
  }
  if (!fingerprint.enabled && rules.on_mismatch == core::mismatch_policy::new_operation) {
    reader.error(place_of(source, "mismatch"), "`mismatch: new_operation` needs a fingerprint, which is off");
  }
  constexpr std::array<std::string_view, 7> volatile_fields{"Authorization", "Cookie",      "Date",      "X-Request-Id",
                                                            "Request-Id",    "Traceparent", "User-Agent"};
  for (const std::string& name : fingerprint.headers) {
    for (const std::string_view known : volatile_fields) {
      if (http::names_equal(name, known)) {
        reader.warn(place_of(source, "fingerprint.headers"),
                    fmt::format("{} can differ between two tries of one request, which is then a mismatch", known));
      }
    }
  }
}

void check_unknown(config_reader& reader, const rules_source& source, const core::policy& rules) {
  switch (rules.on_unknown) {
    case core::unknown_policy::refuse:
      return;
    case core::unknown_policy::redispatch:
      return reader.warn(
          place_of(source, "on_unknown"),
          "`on_unknown: redispatch` runs the operation again: the upstream itself must deduplicate by the "
          "key");
    case core::unknown_policy::probe:
      if (!rules.probe.url.empty() || says(source.route, "on_unknown.probe.url") ||
          says(source.defaults, "on_unknown.probe.url")) {
        return;
      }
      return reader.error(
          place_of(source, "on_unknown.probe"),
          "`on_unknown: probe` needs `url`: `on_unknown: { probe: { url: /v1/charges/by-key/{key} } }`");
  }
}

void check_times(config_reader& reader, const rules_source& source, const core::policy& rules) {
  if (rules.lease < 3s) {
    reader.warn(place_of(source, "lease"),
                fmt::format("a pause of this machine longer than {} makes the outcomes of running requests unknown",
                            duration_text(rules.lease)));
  }
  if (says(source.route, "retention_tombstone") || says(source.defaults, "retention_tombstone")) {
    if (rules.retention_tombstone < rules.retention) {
      reader.warn(place_of(source, "retention_tombstone"),
                  "`retention_tombstone` is shorter than `retention`, which counts");
    }
  }
  if (rules.probe.backoff > rules.probe.backoff_max) {
    reader.error(place_of(source, "on_unknown.probe.backoff"), "`backoff` is longer than `backoff_max`");
  }
}

}  // namespace

bool says(const config_map* map, std::string_view setting) {
  while (map != nullptr) {
    const std::size_t dot = setting.find('.');
    const config_entry* entry = map->find(setting.substr(0, dot));
    if (entry == nullptr) return false;
    if (dot == std::string_view::npos) return true;
    map = std::get_if<config_map>(&entry->node.value);
    setting.remove_prefix(dot + 1);
  }
  return false;
}

config_position place_of(const rules_source& source, std::string_view setting) {
  for (const config_map* map : {source.route, source.defaults}) {
    if (says(map, setting)) return *place_in(map, setting);
  }
  for (const config_map* map : {source.route, source.defaults}) {
    if (const auto place = place_in(map, setting)) return *place;
  }
  return source.where;
}

void check_rules(config_reader& reader, const rules_source& source, const core::policy& rules, const settings& all) {
  const std::size_t errors_before = reader.errors();
  check_scope(reader, source, rules, all);
  check_fingerprint(reader, source, rules);
  check_unknown(reader, source, rules);
  check_times(reader, source, rules);
  if (rules.key.length_min > rules.key.length_max) {
    reader.error(place_of(source, "key.min_length"), "`min_length` is larger than `max_length`: no key could pass");
  }
  if (rules.on_store_failure == core::store_failure_policy::pass) {
    reader.warn(place_of(source, "on_store_failure"),
                "`on_store_failure: pass` lets duplicates run while the store is down");
  }
  // What is left is only told by those who use the rules, one error at a time.
  if (reader.errors() != errors_before) return;
  if (const auto prepared = core::prepare(rules); !prepared) {
    const auto& [setting, message] = prepared.error();
    const config_position where = place_of(source, setting);
    if (!reader.has_error_at(where)) reader.error(where, fmt::format("`{}`: {}", setting, message));
  }
}

}  // namespace onceward::gateway
