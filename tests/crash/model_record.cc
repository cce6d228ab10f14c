#include "model_record.h"

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace onceward::crash {
namespace {

fence after(fence last) {
  return fence{static_cast<std::uint64_t>(last) + 1};
}

std::optional<fence> fence_in(const reply& told) {
  return std::visit(
      [](const auto& each) -> std::optional<fence> {
        if constexpr (requires { each.summary.token; }) return each.summary.token;
        return std::nullopt;
      },
      told);
}

}  // namespace

reply model_record::apply(const command& what, wall_time now, const reply& is) {
  const std::optional<core::record> before = at(now);
  const core::record* const known = before ? &*before : nullptr;
  return std::visit(
      [&](const auto& each) -> reply {
        using type = std::decay_t<decltype(each)>;
        if constexpr (std::is_same_v<type, claim>) {
          const auto* told = std::get_if<claim_granted>(&is);
          const fence token = told == nullptr ? after(last_fence_) : std::max(told->token, after(last_fence_));
          core::decision decided = core::decide(known, each, now, token);
          if (decided.after) {
            fence_is_untold_ = told == nullptr;
            if (told != nullptr) last_fence_ = token;
          }
          return settle(std::move(decided));
        } else if constexpr (std::is_same_v<type, renew> || std::is_same_v<type, complete> ||
                             std::is_same_v<type, release>) {
          return settle(core::decide(known, each, now));
        } else {
          return state_at(now);
        }
      },
      what);
}

reply model_record::state_at(wall_time now) const {
  const auto kept = at(now);
  return kept ? core::describe(*kept, now) : reply{record_absent{}};
}

std::optional<core::record> model_record::at(wall_time now) const {
  return kept_ ? core::as_of(*kept_, now) : std::nullopt;
}

void model_record::reopen(wall_time now, const reply& is) {
  if (!kept_) return;
  const auto* told = std::get_if<record_unknown>(&is);
  if (fence_is_untold_) {
    if (const auto token = fence_in(is); token && *token > last_fence_) kept_->token = last_fence_ = *token;
    fence_is_untold_ = false;
  }

  std::vector<wall_time> since;
  if (const auto* running = std::get_if<core::state_in_flight>(&kept_->state)) {
    since = {now};
    if (running->lease_end <= now) since.push_back(running->lease_end);
  } else if (ended_by_itself_) {
    since = {now, std::get<core::state_unknown>(kept_->state).since};
  } else {
    return;
  }
  ended_by_itself_ = true;
  for (const wall_time each : since) {
    kept_->state = core::state_unknown{each};
    const bool is_gone = !at(now);
    if (is_gone && std::holds_alternative<record_absent>(is)) return kept_.reset();
    if (told != nullptr && told->summary.ended_at == each) return;
  }
}

reply model_record::settle(core::decision decided) {
  if (decided.after) {
    kept_ = *std::move(decided.after);
    ended_by_itself_ = false;
  }
  return std::move(decided.answer);
}

}  // namespace onceward::crash
