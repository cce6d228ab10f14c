#include "core/outcome.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <variant>

#include "base/ascii.h"
#include "base/assert.h"
#include "core/limits.h"
#include "http/structured_field.h"

namespace onceward::core {
namespace {

// Most careful last.
constexpr std::array by_care = {outcome_class::released, outcome_class::completed, outcome_class::unknown};

const status_list& list_of(const outcome_policy& rules, outcome_class outcome) {
  switch (outcome) {
    case outcome_class::completed:
      return rules.complete;
    case outcome_class::released:
      return rules.release;
    case outcome_class::unknown:
      return rules.unknown;
  }
  return rules.unknown;
}

// How much a list's word on a status weighs; 0 if it does not hold it.
int weight(const status_list& list, std::size_t status) {
  const int level = static_cast<int>(list.level) + 1;
  if (list.numbers.test(status)) return 100 + level;
  if (list.classes.test(status / 100)) return level;
  return 0;
}

status_list make_list(std::initializer_list<std::string_view> statuses) {
  status_list list;
  for (const std::string_view status : statuses)
    onceward_assert(add_statuses(list, status));
  return list;
}

std::optional<outcome_class> outcome_named(std::string_view token) {
  for (const outcome_class outcome : by_care) {
    if (token == to_string(outcome)) return outcome;
  }
  return std::nullopt;
}

}  // namespace

outcome_policy default_outcomes() {
  return {
      .complete = make_list({"2xx", "3xx", "4xx"}),
      .release = make_list({"401", "403", "407", "408", "409", "421", "423", "425", "429", "5xx"}),
      .unknown = make_list({"502", "504"}),
  };
}

outcome_class classify(const outcome_policy& rules, std::uint16_t status, std::optional<outcome_class> stated) {
  onceward_assert(status >= 100 && status <= 599);
  if (stated) return *stated;
  outcome_class decided = outcome_class::unknown;
  int heaviest = 0;
  for (const outcome_class outcome : by_care) {
    const int found = weight(list_of(rules, outcome), status);
    if (found == 0 || found < heaviest) continue;
    heaviest = found;
    decided = outcome;
  }
  return decided;
}

bool add_statuses(status_list& list, std::string_view text) {
  if (text.size() != 3 || text[0] < '1' || text[0] > '5') return false;
  if (text.ends_with("xx")) {
    list.classes.set(static_cast<std::size_t>(text[0] - '0'));
    return true;
  }
  const std::optional<std::uint64_t> number = base::parse_decimal(text);
  if (number) list.numbers.set(*number);
  return number.has_value();
}

std::optional<outcome_conflict> find_conflict(const outcome_policy& rules) {
  for (std::size_t i = 0; i < by_care.size(); ++i) {
    for (std::size_t j = i + 1; j < by_care.size(); ++j) {
      const status_list& left = list_of(rules, by_care[i]);
      const status_list& right = list_of(rules, by_care[j]);
      if (left.level != right.level) continue;
      for (std::size_t digit = 1; digit <= 5; ++digit) {
        if (left.classes.test(digit) && right.classes.test(digit)) {
          return outcome_conflict{std::to_string(digit) + "xx", by_care[i], by_care[j]};
        }
      }
      for (std::size_t status = 100; status <= 599; ++status) {
        if (left.numbers.test(status) && right.numbers.test(status)) {
          return outcome_conflict{std::to_string(status), by_care[i], by_care[j]};
        }
      }
    }
  }
  return std::nullopt;
}

stated_outcome read_stated_outcome(http::fields_view fields) {
  const std::size_t lines = http::count(fields, http::field_id::idempotency_outcome);
  if (lines == 0) return {};
  stated_outcome read;
  read.ignored = true;
  if (lines > 1) return read;

  const auto parsed = http::parse_sf_item(*http::find(fields, http::field_id::idempotency_outcome));
  const auto* item = std::get_if<http::sf_item>(&parsed);
  if (item == nullptr) return read;
  const auto* token = std::get_if<http::sf_token>(&item->value);
  if (token == nullptr) return read;
  read.outcome = outcome_named(token->text);
  if (!read.outcome) return read;

  read.ignored = false;
  for (const http::sf_parameter& parameter : item->parameters) {
    if (parameter.key != "retention") continue;
    const auto* seconds = std::get_if<std::int64_t>(&parameter.value);
    const bool usable =
        seconds != nullptr && *seconds > 0 && *seconds <= std::chrono::seconds(retention_stated_max).count();
    if (usable) read.retention = std::chrono::seconds(*seconds);
    read.ignored = !usable;
  }
  return read;
}

std::string_view to_string(outcome_class outcome) {
  switch (outcome) {
    case outcome_class::completed:
      return "completed";
    case outcome_class::released:
      return "released";
    case outcome_class::unknown:
      return "unknown";
  }
  return "unknown";
}

}  // namespace onceward::core
