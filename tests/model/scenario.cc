#include "tests/model/scenario.h"

#include "core/outcome.h"

namespace onceward::model {
namespace {

using std::chrono::milliseconds;
using enum bounded;

// Durations are a few of the model's ticks; their ratios are what counts.
core::policy rules_of(core::unknown_policy on_unknown) {
  core::policy rules;
  rules.outcomes = core::default_outcomes();
  rules.on_unknown = on_unknown;
  rules.probe.url = "/charges/{key}";
  rules.lease = milliseconds{3'000};
  rules.wait = milliseconds{2'000};
  rules.retention = milliseconds{3'000};
  rules.retention_tombstone = milliseconds{3'000};
  return rules;
}

// So short that a lease runs out while its attempt lives.
core::policy with_short_lease(core::policy rules) {
  rules.lease = milliseconds{1'000};
  return rules;
}

// What is left of a result is kept longer than the result.
core::policy with_long_tombstones(core::policy rules) {
  rules.retention = milliseconds{1'000};
  return rules;
}

// So long that two jumps of a clock do not outrun lease and retention together: what is forgotten can run again.
core::policy with_long_retention(core::policy rules) {
  rules.retention = milliseconds{8'000};
  return rules;
}

const request_kind pay_10{"alice", "k", "pay 10"};
const request_kind pay_20{"alice", "k", "pay 20"};
const request_kind of_bob{"bob", "k", "pay 10"};

using budgets = std::array<unsigned, bounded_count>;

struct amount {
  bounded what;
  unsigned times;
};

budgets at_most(std::initializer_list<amount> amounts) {
  budgets made{};
  for (const amount& each : amounts)
    made[static_cast<std::size_t>(each.what)] = each.times;
  return made;
}

unsigned pick(size how_large, unsigned for_test, unsigned for_short, unsigned for_long) {
  switch (how_large) {
    case size::test:
      return for_test;
    case size::short_form:
      return for_short;
    case size::long_form:
      return for_long;
  }
  return for_test;
}

}  // namespace

const char* to_string(bounded what) {
  switch (what) {
    case ticks:
      return "ticks";
    case crashes:
      return "crashes";
    case store_faults:
      return "store faults";
    case slow_replies:
      return "slow replies";
    case retries:
      return "retries";
    case upstream_faults:
      return "upstream faults";
    case client_faults:
      return "client faults";
    case clock_jumps:
      return "clock jumps";
    case drains:
      return "drains";
    case resolutions:
      return "resolutions";
  }
  return "";
}

std::vector<scenario> scenarios(size how_large) {
  using enum core::unknown_policy;
  const auto times = [&](unsigned a, unsigned b, unsigned c) { return pick(how_large, a, b, c); };
  const auto callers = [&](std::vector<unsigned> few, std::vector<unsigned> more, std::vector<unsigned> many) {
    return how_large == size::test ? few : how_large == size::short_form ? more : many;
  };
  std::vector<scenario> all;
  all.push_back({.name = "refuse",
                 .about = "two gateways and a shared store; an unknown outcome is refused",
                 .rules = rules_of(refuse),
                 .kinds = {pay_10, pay_20},
                 .callers = callers({0, 0}, {0, 0}, {0, 0, 1}),
                 .at_most = at_most({{ticks, times(1, 3, 4)},
                                     {crashes, times(1, 1, 2)},
                                     {store_faults, times(1, 1, 1)},
                                     {upstream_faults, times(1, 1, 1)}})});
  all.push_back({.name = "store",
                 .about = "one caller, and a store that fails again and again",
                 .rules = rules_of(refuse),
                 .kinds = {pay_10},
                 .callers = {0},
                 .at_most = at_most({{ticks, times(3, 3, 5)},
                                     {retries, times(1, 2, 2)},
                                     {store_faults, times(1, 2, 4)},
                                     {slow_replies, times(1, 1, 2)},
                                     {upstream_faults, times(0, 1, 1)}})});
  all.push_back({.name = "waiters",
                 .about = "duplicates that wait for an attempt, clients that leave, a gateway that drains",
                 .rules = rules_of(refuse),
                 .gateways = 1,
                 .kinds = {pay_10},
                 .callers = callers({0, 0}, {0, 0, 0}, {0, 0, 0}),
                 .at_most = at_most({{ticks, times(0, 1, 3)},
                                     {retries, times(1, 0, 1)},
                                     {slow_replies, times(1, 1, 1)},
                                     {upstream_faults, times(1, 1, 1)},
                                     {client_faults, times(1, 1, 1)},
                                     {drains, times(1, 1, 1)}})});
  all.push_back({.name = "mismatch",
                 .about = "the same key with another body, callers that send again, tombstones that outlive results",
                 .rules = with_long_tombstones(rules_of(refuse)),
                 .gateways = 1,
                 .kinds = {pay_10, pay_20},
                 .callers = callers({0, 1}, {0, 1}, {0, 1, 1}),
                 .at_most = at_most({{ticks, times(2, 3, 4)},
                                     {retries, times(1, 2, 2)},
                                     {crashes, times(0, 1, 1)},
                                     {upstream_faults, times(1, 1, 2)}})});
  all.push_back({.name = "overtaken",
                 .about = "a duplicate that hears of its attempt only after another request has got the key",
                 .rules = rules_of(refuse),
                 .gateways = 1,
                 .kinds = {pay_10, pay_20},
                 .callers = {0, 0, 1},
                 .at_most = at_most(
                     {{ticks, times(0, 1, 3)}, {slow_replies, times(1, 2, 2)}, {upstream_faults, times(1, 1, 2)}})});
  all.push_back({.name = "probe",
                 .about = "the upstream is asked what became of an unknown outcome",
                 .rules = with_short_lease(rules_of(probe)),
                 .kinds = {pay_10},
                 .callers = callers({0, 0}, {0, 0}, {0, 0, 0}),
                 .at_most = at_most({{ticks, times(1, 2, 3)},
                                     {retries, times(0, 0, 0)},
                                     {crashes, times(1, 1, 2)},
                                     {slow_replies, times(1, 1, 1)},
                                     {upstream_faults, times(1, 1, 2)},
                                     {client_faults, times(0, 1, 1)}})});
  all.push_back({.name = "redispatch",
                 .about = "the upstream deduplicates by the key, so an unknown outcome is forwarded again",
                 .rules = with_short_lease(rules_of(redispatch)),
                 .kinds = {pay_10},
                 .callers = callers({0, 0}, {0, 0}, {0, 0, 0}),
                 .at_most = at_most({{ticks, times(1, 2, 3)},
                                     {retries, times(1, 1, 1)},
                                     {crashes, times(0, 0, 1)},
                                     {slow_replies, times(0, 0, 1)},
                                     {upstream_faults, times(2, 2, 2)}})});
  all.push_back({.name = "embedded",
                 .about = "one gateway with its own store, killed and opened again",
                 .rules = rules_of(refuse),
                 .store = store_kind::embedded,
                 .gateways = 1,
                 .kinds = {pay_10, pay_20},
                 .callers = callers({0, 1}, {0, 1}, {0, 0, 1}),
                 .at_most = at_most({{ticks, times(1, 2, 3)},
                                     {retries, times(0, 1, 1)},
                                     {crashes, times(1, 2, 2)},
                                     {slow_replies, times(1, 1, 1)},
                                     {upstream_faults, times(1, 1, 1)},
                                     {drains, times(0, 0, 1)},
                                     {resolutions, times(1, 1, 1)}})});
  all.push_back({.name = "clock",
                 .about = "the shared store's clock jumps",
                 .rules = how_large == size::long_form ? with_long_retention(rules_of(refuse)) : rules_of(refuse),
                 .kinds = {pay_10},
                 .callers = {0, 0},
                 .at_most = at_most({{ticks, times(1, 2, 3)},
                                     {crashes, times(0, 1, 1)},
                                     {slow_replies, times(0, 1, 1)},
                                     {upstream_faults, times(1, 1, 1)},
                                     {clock_jumps, times(1, 1, 2)}})});
  all.push_back({.name = "scopes",
                 .about = "two callers with the same key who must never meet",
                 .rules = rules_of(refuse),
                 .gateways = 1,
                 .kinds = {pay_10, of_bob},
                 .callers = {0, 1},
                 .at_most = at_most({{ticks, times(1, 2, 3)},
                                     {retries, times(0, 1, 1)},
                                     {crashes, times(0, 1, 1)},
                                     {upstream_faults, times(1, 1, 1)}})});
  return all;
}

}  // namespace onceward::model
