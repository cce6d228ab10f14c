#include "tests/simulation/scenario.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string_view>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "tests/simulation/sometimes.h"

namespace onceward::simulation {

namespace {

using setter = std::function<bool(const toml::node&)>;
using setters = std::map<std::string, setter, std::less<>>;

setter number(double& into) {
  return [&into](const toml::node& value) {
    const auto read = value.value<double>();
    if (read) into = *read;
    return read && *read >= 0;
  };
}

template <typename Integer>
setter count(Integer& into) {
  return [&into](const toml::node& value) {
    const auto read = value.value<std::int64_t>();
    if (read) into = static_cast<Integer>(*read);
    return read && *read >= 0;
  };
}

setter span(milliseconds& into) {
  return [&into](const toml::node& value) {
    const auto read = value.value<std::int64_t>();
    if (read) into = milliseconds(*read);
    return read && *read >= 0;
  };
}

setter flag(bool& into) {
  return [&into](const toml::node& value) {
    const auto read = value.value<bool>();
    if (read) into = *read;
    return read.has_value();
  };
}

template <typename Enum>
setter word(Enum& into, std::vector<std::pair<std::string_view, Enum>> words) {
  return [&into, words = std::move(words)](const toml::node& value) {
    const auto read = value.value<std::string>();
    const auto found = std::find_if(words.begin(), words.end(), [&](const auto& each) { return each.first == read; });
    if (found != words.end()) into = found->second;
    return found != words.end();
  };
}

std::optional<sometimes> sometimes_named(std::string_view name) {
  for (std::size_t i = 0; i < sometimes_count; ++i) {
    if (to_string(static_cast<sometimes>(i)) == name) return static_cast<sometimes>(i);
  }
  return std::nullopt;
}

setter names(std::vector<sometimes>& into) {
  return [&into](const toml::node& value) {
    const toml::array* list = value.as_array();
    if (list == nullptr) return false;
    for (const toml::node& each : *list) {
      const auto found = sometimes_named(each.value_or(std::string_view{}));
      if (!found) return false;
      into.push_back(*found);
    }
    return true;
  };
}

std::map<std::string, setters, std::less<>> tables_of(scenario& into) {
  core::policy& rules = into.rules;
  return {
      {"system",
       {{"store", word<store_kind>(into.store, {{"journal", store_kind::journal}, {"shared", store_kind::shared}})},
        {"gateways", count(into.gateways)},
        {"workers", count(into.workers)},
        {"on_unknown",
         word<core::unknown_policy>(rules.on_unknown, {{"refuse", core::unknown_policy::refuse},
                                                       {"probe", core::unknown_policy::probe},
                                                       {"redispatch", core::unknown_policy::redispatch}})},
        {"lease_ms", span(rules.lease)},
        {"wait_ms", span(rules.wait)},
        {"retention_ms", span(rules.retention)},
        {"retention_tombstone_ms", span(rules.retention_tombstone)},
        {"body_bytes_stored_max", count(rules.body_bytes_stored_max)},
        {"upstream_response_ms", span(into.upstream_response)},
        {"waiters_per_key_max", count(into.waiters_per_key_max)},
        {"written", flag(into.written)},
        {"segments_max", count(into.segments_max)},
        {"cache_bytes", count(into.cache_bytes)},
        {"loops_commit", number(into.loops_commit)},
        {"store_loses_tail", flag(into.store_loses_tail)},
        {"replication_lag_ms", span(into.replication_lag)},
        {"upstream_deduplicates", flag(into.deduplicates)}}},
      {"workload",
       {{"keys", count(into.keys)},
        {"requests", count(into.requests)},
        {"duration_ms", span(into.duration)},
        {"same_body", number(into.same_body)},
        {"same_scope", number(into.same_scope)},
        {"leaves", number(into.leaves)},
        {"answer_bytes", count(into.answer_bytes)}}},
      {"upstream",
       {{"rejects", number(into.rejects)},
        {"refuses", number(into.refuses)},
        {"gateway_timeouts", number(into.gateway_timeouts)},
        {"cuts_before", number(into.cuts_before)},
        {"cuts_after", number(into.cuts_after)},
        {"truncates", number(into.truncates)},
        {"hangs", number(into.hangs)},
        {"works_long", number(into.works_long)},
        {"works_long_ms", span(into.works_long_for)},
        {"answers_large", number(into.answers_large)},
        {"states_outcome", number(into.states_outcome)}}},
      {"faults",
       {{"kills", number(into.kills)},
        {"power_cuts", number(into.power_cuts)},
        {"stops", number(into.stops)},
        {"drains", number(into.drains)},
        {"connection_cuts", number(into.connection_cuts)},
        {"upstream_outages", number(into.upstream_outages)},
        {"disk_errors", number(into.disk_errors)},
        {"clock_jumps", number(into.clock_jumps)},
        {"store_outages", number(into.store_outages)},
        {"failovers", number(into.failovers)},
        {"resolutions", number(into.resolutions)},
        {"message_loss", number(into.message_loss)},
        {"message_twice", number(into.message_twice)},
        {"message_late", number(into.message_late)},
        {"drift_ppm_max", count(into.drift_ppm_max)}}},
      {"sometimes", {{"seen", names(into.must_see)}}},
  };
}

scenario unread(std::string name) {
  scenario made;
  made.name = std::move(name);
  made.rules = *core::profile("default");
  made.rules.lease = milliseconds{3'000};
  made.rules.wait = milliseconds{1'500};
  made.rules.body_bytes_stored_max = 2'000;
  made.rules.probe = {.url = "/status/{key}",
                      .timeout = milliseconds{500},
                      .backoff = milliseconds{100},
                      .backoff_max = milliseconds{400}};
  return made;
}

}  // namespace

tl::expected<scenario, std::string> read_scenario(const std::filesystem::path& file) {
  const auto failure = [&](std::string_view why) { return tl::unexpected(file.string() + ": " + std::string(why)); };
  const toml::parse_result parsed = toml::parse_file(file.string());
  if (!parsed) return failure(parsed.error().description());
  scenario made = unread(file.stem().string());
  const auto tables = tables_of(made);
  for (const auto& [name, content] : parsed.table()) {
    const auto known = tables.find(name.str());
    if (known == tables.end() || !content.is_table()) return failure("there is no table " + std::string(name.str()));
    for (const auto& [key, value] : *content.as_table()) {
      const auto set = known->second.find(key.str());
      if (set == known->second.end()) return failure("there is no " + std::string(key.str()));
      if (!set->second(value)) return failure(std::string(key.str()) + " cannot be this");
    }
  }
  return made;
}

tl::expected<std::vector<scenario>, std::string> read_scenarios(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& each : std::filesystem::directory_iterator(folder, error)) {
    if (each.path().extension() == ".toml") files.push_back(each.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<scenario> all;
  for (const auto& each : files) {
    auto read = read_scenario(each);
    if (!read) return tl::unexpected(std::move(read.error()));
    all.push_back(*std::move(read));
  }
  if (all.empty()) return tl::unexpected("no scenario in " + folder.string());
  return all;
}

}  // namespace onceward::simulation
