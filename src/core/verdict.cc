#include "core/verdict.h"

#include <utility>
#include <variant>

#include "base/assert.h"

namespace onceward::core {
namespace {

// Only to ask the rules whether they would grant.
constexpr fence any_fence{1};

struct judge {
  const std::optional<found_record>& found;

  std::optional<reply> operator()(const claim& what) const {
    if (found && found->changed) {
      const auto& running = std::get<state_in_flight>(found->kept.state);
      return claim_granted{found->kept.token, found->kept.attempt_number, running.lease_end - found->now};
    }
    return unless_changed([&](const record* before, wall_time now) { return decide(before, what, now, any_fence); });
  }
  std::optional<reply> operator()(const renew& what) const { return applied_or_decided(what); }
  std::optional<reply> operator()(const complete& what) const { return applied_or_decided(what); }
  std::optional<reply> operator()(const release& what) const { return applied_or_decided(what); }
  std::optional<reply> operator()(const find&) const {
    return unless_changed([](const record* before, wall_time now) {
      return decision{before == nullptr ? reply{record_absent{}} : describe(*before, now), std::nullopt};
    });
  }
  std::optional<reply> operator()(const list_unknown&) const { return not_about_one_record(); }
  std::optional<reply> operator()(const purge&) const { return not_about_one_record(); }

 private:
  template <typename Command>
  std::optional<reply> applied_or_decided(const Command& what) const {
    if (found && found->changed) return applied{};
    return unless_changed([&](const record* before, wall_time now) { return decide(before, what, now); });
  }

  template <typename Decide>
  std::optional<reply> unless_changed(Decide decide) const {
    const auto kept = found ? as_of(found->kept, found->now) : std::nullopt;
    decision decided = decide(kept ? &*kept : nullptr, found ? found->now : wall_time{});
    if (decided.after) return std::nullopt;
    return std::move(decided.answer);
  }

  static std::optional<reply> not_about_one_record() {
    onceward_assert(false && "a command that has no record");
    return std::nullopt;
  }
};

}  // namespace

std::optional<reply> answer_to(const command& what, const std::optional<found_record>& found) {
  return std::visit(judge{found}, what);
}

bool ends_attempt(const command& what, const reply& answer) {
  return std::holds_alternative<applied>(answer) &&
         (std::holds_alternative<complete>(what) || std::holds_alternative<release>(what));
}

}  // namespace onceward::core
