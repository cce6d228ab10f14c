#include "core/record.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/overloaded.h"

namespace onceward::core {
namespace {

record_completed completed_reply(const record& kept, const state_completed& done) {
  return {summarise(kept), done.response, done.tombstone};
}

decision unchanged(reply answer) {
  return {std::move(answer), std::nullopt};
}

decision grant(const record* before, const claim& what, wall_time now, fence next) {
  onceward_assert(next != fence{});
  record after{.attempt = what.attempt,
               .attempt_number = before == nullptr ? 1 : before->attempt_number + 1,
               .token = next,
               .first_seen = before == nullptr ? now : before->first_seen,
               .retention = what.retention,
               .fingerprint = what.fingerprint,
               .state = state_in_flight{now + what.lease}};
  claim_granted answer{after.token, after.attempt_number, what.lease};
  return {answer, std::move(after)};
}

// The record in another state.
decision become(const record& before, record_state state) {
  decision made{applied{}, before};
  made.after->state = std::move(state);
  return made;
}

decision end_with(const record& before, const outcome_completed& outcome, wall_time now) {
  const wall_time response_expires_at = now + outcome.retention;
  return become(
      before, state_completed{.completed_at = now,
                              .response_expires_at = response_expires_at,
                              .tombstone_expires_at = std::max(response_expires_at, now + outcome.retention_tombstone),
                              .response = outcome.response,
                              .tombstone = outcome.tombstone});
}

decision end_with(const record& before, const outcome_unknown& outcome, wall_time now) {
  decision made = become(before, state_unknown{now});
  made.after->retention = outcome.retention;
  return made;
}

bool equal(const shared_bytes& left, const shared_bytes& right) {
  return left == right || (left != nullptr && right != nullptr && *left == *right);
}

// Whether the command brings the result that stands: it was submitted before. An expired response cannot be compared.
bool is_result(const state_completed& done, const complete& what) {
  const auto* outcome = std::get_if<outcome_completed>(&what.outcome);
  return outcome != nullptr && equal(outcome->tombstone, done.tombstone) &&
         (done.response == nullptr || equal(outcome->response, done.response));
}

}  // namespace

std::optional<wall_time> expiry(const record& kept) {
  return std::visit(
      base::overloaded{
          [](const state_in_flight&) -> std::optional<wall_time> { return std::nullopt; },
          [](const state_completed& done) -> std::optional<wall_time> { return done.tombstone_expires_at; },
          [&](const state_released& gone) -> std::optional<wall_time> { return gone.released_at + kept.retention; },
          [&](const state_unknown& open) -> std::optional<wall_time> { return open.since + kept.retention; },
      },
      kept.state);
}

std::optional<record> as_of(record kept, wall_time now) {
  if (const auto* running = std::get_if<state_in_flight>(&kept.state);
      running != nullptr && running->lease_end <= now) {
    kept.state = state_unknown{running->lease_end};
  }
  if (const auto end = expiry(kept); end && *end <= now) return std::nullopt;
  if (auto* done = std::get_if<state_completed>(&kept.state); done != nullptr && done->response_expires_at <= now) {
    done->response = nullptr;
  }
  return kept;
}

wall_time changes_at(const record& kept) {
  if (const auto* running = std::get_if<state_in_flight>(&kept.state)) return running->lease_end;
  if (const auto* done = std::get_if<state_completed>(&kept.state); done != nullptr && done->response != nullptr) {
    return done->response_expires_at;
  }
  return *expiry(kept);
}

record abandoned(record kept, wall_time now) {
  if (std::holds_alternative<state_in_flight>(kept.state)) kept.state = state_unknown{now};
  return kept;
}

record_summary summarise(const record& kept) {
  const wall_time ended_at = std::visit(base::overloaded{
                                            [](const state_in_flight& running) { return running.lease_end; },
                                            [](const state_completed& done) { return done.completed_at; },
                                            [](const state_released& gone) { return gone.released_at; },
                                            [](const state_unknown& open) { return open.since; },
                                        },
                                        kept.state);
  return {.attempt = kept.attempt,
          .attempt_number = kept.attempt_number,
          .token = kept.token,
          .first_seen = kept.first_seen,
          .ended_at = ended_at,
          .expires_at = expiry(kept).value_or(ended_at + kept.retention),
          .fingerprint = kept.fingerprint};
}

reply describe(const record& kept, wall_time now) {
  return std::visit(base::overloaded{
                        [&](const state_in_flight& running) -> reply {
                          return record_in_flight{summarise(kept), running.lease_end - now};
                        },
                        [&](const state_completed& done) -> reply { return completed_reply(kept, done); },
                        [&](const state_released&) -> reply { return record_released{summarise(kept)}; },
                        [&](const state_unknown&) -> reply { return record_unknown{summarise(kept)}; },
                    },
                    kept.state);
}

decision decide(const record* before, const claim& what, wall_time now, fence next) {
  if (before == nullptr) return grant(before, what, now, next);
  const bool own = before->attempt == what.attempt;
  return std::visit(
      base::overloaded{
          [&](const state_in_flight& running) {
            if (!own) return unchanged(describe(*before, now));
            return unchanged(claim_granted{before->token, before->attempt_number, running.lease_end - now});
          },
          [&](const state_completed&) { return unchanged(describe(*before, now)); },
          [&](const state_released&) {
            // An attempt that gave up is over: a late copy of its claim must not bring it back.
            if (own) return unchanged(fenced{});
            return grant(before, what, now, next);
          },
          [&](const state_unknown&) {
            if (what.over_unknown == before->attempt && !own) return grant(before, what, now, next);
            return unchanged(describe(*before, now));
          },
      },
      before->state);
}

decision decide(const record* before, const renew& what, wall_time now) {
  if (before == nullptr || before->attempt != what.attempt) return unchanged(fenced{});
  return std::visit(base::overloaded{
                        [&](const state_in_flight& running) {
                          return become(*before, state_in_flight{std::max(running.lease_end, now + what.lease)});
                        },
                        [&](const state_completed&) { return unchanged(fenced{}); },
                        [&](const state_released&) { return unchanged(fenced{}); },
                        [&](const state_unknown&) { return unchanged(describe(*before, now)); },
                    },
                    before->state);
}

decision decide(const record* before, const complete& what, wall_time now) {
  if (before == nullptr || before->attempt != what.attempt) return unchanged(fenced{});
  const auto end = [&] {
    return std::visit([&](const auto& outcome) { return end_with(*before, outcome, now); }, what.outcome);
  };
  return std::visit(base::overloaded{
                        [&](const state_in_flight&) { return end(); },
                        [&](const state_completed& done) {
                          return unchanged(is_result(done, what) ? reply{applied{}} : describe(*before, now));
                        },
                        [&](const state_released&) { return unchanged(fenced{}); },
                        [&](const state_unknown&) {
                          if (std::holds_alternative<outcome_unknown>(what.outcome)) return unchanged(applied{});
                          return end();
                        },
                    },
                    before->state);
}

decision decide(const record* before, const release& what, wall_time now) {
  if (before == nullptr || before->attempt != what.attempt) return unchanged(fenced{});
  const auto end = [&] { return become(*before, state_released{now}); };
  return std::visit(base::overloaded{
                        [&](const state_in_flight&) { return end(); },
                        [&](const state_completed&) { return unchanged(fenced{}); },
                        [&](const state_released&) { return unchanged(applied{}); },
                        [&](const state_unknown&) { return end(); },
                    },
                    before->state);
}

}  // namespace onceward::core
