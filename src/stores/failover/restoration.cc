#include "stores/failover/restoration.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "base/assert.h"

namespace onceward::failover {
namespace {

std::optional<record_summary> summary_in(const reply& answer) {
  return std::visit(
      [](const auto& each) -> std::optional<record_summary> {
        if constexpr (requires { each.summary; }) return each.summary;
        return std::nullopt;
      },
      answer);
}

bool contains(std::span<const attempt_id> all, const attempt_id& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

command restoration::next() const {
  switch (step_) {
    case step::finding:
      return find{what_.key};
    case step::claiming:
      return claim{what_.key, what_.attempt, what_.lease, what_.retention, what_.fingerprint};
    case step::ending:
      return complete{what_.key, ended_, outcome_unknown{what_.retention}};
  }
  onceward_assert(false && "a step that is none");
  return find{what_.key};
}

restoration::verdict restoration::take(const reply& answer, std::span<const attempt_id> held) {
  if (std::holds_alternative<store_failure>(answer)) {
    step_ = step::finding;
    return verdict::failed;
  }
  switch (step_) {
    case step::finding:
      return found(answer, held);
    case step::claiming:
      if (const auto* granted = std::get_if<claim_granted>(&answer)) {
        what_.attempt_number = granted->attempt_number;
        remains_ = true;
        if (what_.acknowledged == recent_record::state::in_flight) return verdict::done;
        return end(what_.attempt);
      }
      // Somebody was faster.
      if (const auto* running = std::get_if<record_in_flight>(&answer);
          running != nullptr && contains(held, running->summary.attempt)) {
        return end(running->summary.attempt);
      }
      return verdict::done;
    case step::ending:
      return verdict::done;
  }
  onceward_assert(false && "a step that is none");
  return verdict::done;
}

restoration::verdict restoration::found(const reply& answer, std::span<const attempt_id> held) {
  const auto there = summary_in(answer);
  if (!there) return claim_again();
  if (there->attempt == what_.attempt) return found_own(answer);
  return found_other(*there, answer, held);
}

// The grant is there; the outcome may not be. A lease may have run out by itself, and an operator of another gateway
// may have released what was unknown.
restoration::verdict restoration::found_own(const reply& answer) {
  remains_ = true;
  if (what_.acknowledged == recent_record::state::in_flight) return verdict::done;
  const bool runs = std::holds_alternative<record_in_flight>(answer);
  const bool is_unknown = std::holds_alternative<record_unknown>(answer);
  lost_ = lost_ || runs || (is_unknown && what_.acknowledged == recent_record::state::completed);
  return runs ? end(what_.attempt) : verdict::done;
}

// A later attempt took over, rightly. An earlier one, or one with the same number, shows that this one is forgotten.
restoration::verdict restoration::found_other(const record_summary& other, const reply& answer,
                                              std::span<const attempt_id> held) {
  if (other.attempt_number > what_.attempt_number) return verdict::done;
  if (std::holds_alternative<record_released>(answer)) return claim_again();
  lost_ = true;
  if (std::holds_alternative<record_in_flight>(answer) && contains(held, other.attempt)) return end(other.attempt);
  return verdict::done;
}

restoration::verdict restoration::claim_again() {
  lost_ = true;
  if (what_.fingerprint == nullptr) return verdict::done;
  step_ = step::claiming;
  return verdict::goes_on;
}

restoration::verdict restoration::end(const attempt_id& which) {
  ended_ = which;
  if (which == what_.attempt) what_.acknowledged = recent_record::state::unknown;
  step_ = step::ending;
  return verdict::goes_on;
}

}  // namespace onceward::failover
