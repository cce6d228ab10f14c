#include "core/prepared_policy.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/outcome.h"
#include "http/characters.h"

namespace onceward::core {
namespace {

using namespace std::chrono_literals;

tl::unexpected<policy_error> under(std::string_view section, policy_error error) {
  error.setting = std::string(section) + "." + error.setting;
  return tl::unexpected(std::move(error));
}

std::optional<policy_error> fault_of_names(std::string setting, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (!http::is_token(name)) return policy_error{std::move(setting), "'" + name + "' is not the name of a field."};
  }
  return std::nullopt;
}

std::optional<policy_error> fault_of_scope(const scope_policy& rules) {
  switch (rules.kind) {
    case scope_kind::credential:
      return fault_of_names("scope.credential.headers", rules.credential_headers);
    case scope_kind::header:
      return fault_of_names("scope.header", {rules.header});
    case scope_kind::shared:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<policy_error> fault_of_replay(const replay_policy& rules) {
  if (auto fault = fault_of_names("replay.marker", {rules.marker})) return fault;
  if (auto fault = fault_of_names("replay.drop", rules.dropped)) return fault;
  return fault_of_names("replay.rename", rules.renamed);
}

std::optional<policy_error> fault_of_outcomes(const outcome_policy& rules) {
  const std::optional<outcome_conflict> conflict = find_conflict(rules);
  if (!conflict) return std::nullopt;
  return policy_error{"outcomes", conflict->statuses + " is in two lists, " + std::string(to_string(conflict->first)) +
                                      " and " + std::string(to_string(conflict->second)) + "."};
}

std::optional<policy_error> fault_of_durations(const policy& rules) {
  if (rules.wait < 0ms) return policy_error{"wait", "A wait cannot be negative."};
  if (rules.lease <= 0ms) return policy_error{"lease", "A lease must be longer than nothing."};
  if (rules.retention <= 0ms) return policy_error{"retention", "A retention must be longer than nothing."};
  if (rules.retention_tombstone < 0ms) return policy_error{"retention_tombstone", "A retention cannot be negative."};
  return std::nullopt;
}

std::optional<policy_error> fault_of_statuses(const policy& rules) {
  constexpr std::array<std::uint16_t, 3> mismatch = {422, 409, 400};
  constexpr std::array<std::uint16_t, 5> in_flight = {409, 423, 425, 429, 503};
  if (std::ranges::find(mismatch, rules.mismatch_status) == mismatch.end()) {
    return policy_error{"mismatch", "It must be 422, 409 or 400."};
  }
  if (std::ranges::find(in_flight, rules.in_flight_status) == in_flight.end()) {
    return policy_error{"in_flight_status", "It must be 409, 423, 425, 429 or 503."};
  }
  return std::nullopt;
}

std::optional<policy_error> fault_of(const policy& rules) {
  if (auto fault = fault_of_names("guarded_methods", rules.methods)) return fault;
  if (auto fault = fault_of_scope(rules.scope)) return fault;
  if (auto fault = fault_of_replay(rules.replay)) return fault;
  if (auto fault = fault_of_outcomes(rules.outcomes)) return fault;
  if (auto fault = fault_of_durations(rules)) return fault;
  if (auto fault = fault_of_statuses(rules)) return fault;
  if (rules.on_unknown == unknown_policy::probe && !rules.probe.url.starts_with('/')) {
    return policy_error{"on_unknown.probe.url",
                        "on_unknown: probe needs the path of a status URL, as in /v1/charges/by-key/{key}."};
  }
  return std::nullopt;
}

}  // namespace

tl::expected<prepared_policy, policy_error> prepare(policy rules) {
  if (auto fault = fault_of(rules)) return tl::unexpected(std::move(*fault));
  auto keys = key_reader::make(rules.key);
  if (!keys) return under("key", std::move(keys.error()));
  auto recipe = fingerprint_recipe::make(rules.fingerprint);
  if (!recipe) return under("fingerprint", std::move(recipe.error()));
  scope_reader scopes(rules.scope);
  replay_rules replays(rules.replay);
  return prepared_policy{.rules = std::move(rules),
                         .keys = std::move(*keys),
                         .scopes = std::move(scopes),
                         .recipe = std::move(*recipe),
                         .replays = std::move(replays)};
}

}  // namespace onceward::core
