// What a complete answer of the upstream makes of the record: completed, released or unknown.
//
// Every status from 100 to 599 has exactly one class. Of the lists that hold it, the one that decides is found so:
//   1. a number beats a class (`502` beats `5xx`);
//   2. among these, the list of the more specific level decides (route, defaults, profile, built-in);
//   3. within one level find_conflict() makes it an error of configuration; if it comes to that all the same, unknown
//   beats
//      completed beats released, because that order risks a second effect least.
// A status in no list is unknown: nobody has said what it means.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/policy.h"
#include "http/fields.h"

namespace onceward::core {

// The built-in lists.
outcome_policy default_outcomes();

// `stated` is what the upstream says of its answer itself, and wins.
outcome_class classify(const outcome_policy& rules, std::uint16_t status, std::optional<outcome_class> stated);

// Adds `404` or `4xx` to a list. False if it is neither.
bool add_statuses(status_list& list, std::string_view text);

// Two lists of the same level that hold the same number or the same class.
struct outcome_conflict {
  std::string statuses;  // As add_statuses() takes it.
  outcome_class first;
  outcome_class second;
};
std::optional<outcome_conflict> find_conflict(const outcome_policy& rules);

// What the upstream's field Idempotency-Outcome says: a Structured Field Item, one of the tokens completed, released
// and unknown, with an optional parameter `retention` in seconds.
struct stated_outcome {
  std::optional<outcome_class> outcome;
  std::optional<std::chrono::seconds> retention;  // Of a completed record.
  bool ignored =
      false;  // The field is there and some of it is not understood, therefore without effect. Worth counting.
};
stated_outcome read_stated_outcome(http::fields_view fields);

std::string_view to_string(outcome_class outcome);

}  // namespace onceward::core
