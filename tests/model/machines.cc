#include "tests/model/machines.h"

#include "base/assert.h"
#include "base/overloaded.h"

namespace onceward::model {
namespace {

told told_of(const core::response_source& source, const answer_book& answers) {
  return std::visit(base::overloaded{
                        [](const core::respond_live& live) {
                          return told{.how = live.not_recorded ? told_as::live_unrecorded : told_as::live};
                        },
                        [&](const core::respond_replay& replay) {
                          return told{.how = told_as::replay, .answer = answers.tag_of_response(replay.response)};
                        },
                        [&](const core::respond_same& same) {
                          return told{.how = told_as::same, .answer = answers.tag_of_response(same.response)};
                        },
                        [&](const core::respond_problem& ours) {
                          return told{.how = told_as::problem,
                                      .type = ours.what.type,
                                      .state = ours.what.state,
                                      .new_key_safe = ours.what.new_key_safe,
                                      .answer = answers.tag_of_location(ours.what.result_location)};
                        },
                    },
                    source);
}

std::uint32_t milliseconds_of(base::moment when) {
  return static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::milliseconds>(when - epoch).count());
}

}  // namespace

std::uint32_t machines::make(unsigned kind, unsigned exchange_name) {
  const vocabulary::identity& who = words_.kind(kind);
  return exchanges_.add(core::exchange({who.record, first_attempt_id(exchange_name), who.fingerprint}, rules_));
}

const machines::step& machines::on(std::uint32_t machine, event what, unsigned ticks_now) {
  onceward_assert(machine != 0 && machine < 1u << 26 && what.value < 1u << 22 && ticks_now < 1u << 8);
  const std::uint64_t question = std::uint64_t{machine} << 34 | std::uint64_t{what.value} << 12 |
                                 std::uint64_t{ticks_now} << 4 | static_cast<std::uint64_t>(what.what);
  if (const std::uint32_t* known = known_.find(question)) return steps_[*known];

  core::exchange asked = exchanges_[machine];
  const core::action_list actions = asked.on(real(what), epoch + tick * ticks_now);
  step answer{.next = asked.finished() ? 0 : exchanges_.add(asked), .actions = {}};
  for (const core::action& each : actions) {
    if (!std::holds_alternative<core::action_note>(each)) answer.actions.push_back(seen(each));
  }
  known_.insert(question, static_cast<std::uint32_t>(steps_.size()));
  return steps_.emplace_back(std::move(answer));
}

core::exchange_event machines::real(event what) const {
  switch (what.what) {
    case event_kind::started:
      return core::event_started{};
    case event_kind::store_replied:
      return core::event_store_replied{words_.reply_of(what.value)};
    case event_kind::renewal_replied:
      return core::event_renewal_replied{words_.reply_of(what.value)};
    case event_kind::upstream_ended:
      return core::event_upstream_ended{words_.answers().attempt_result(static_cast<answer_tag>(what.value))};
    case event_kind::probe_joined:
      return core::event_probe_joined{what.value != 0};
    case event_kind::probe_found:
      return core::event_probe_ended{words_.answers().found(static_cast<answer_tag>(what.value))};
    case event_kind::probe_verdict:
      return core::event_probe_ended{static_cast<core::probe_verdict>(what.value)};
    case event_kind::attempt_ended:
      return core::event_attempt_ended{words_.end_of(what.value)};
    case event_kind::wait_refused:
      return core::event_wait_refused{};
    case event_kind::deadline:
      return core::event_deadline{};
    case event_kind::client_gone:
      return core::event_client_gone{};
    case event_kind::draining:
      return core::event_draining{};
  }
  onceward_unreachable("an event of no kind");
}

seen_action machines::seen(const core::action& what) {
  using enum action_kind;
  return std::visit(
      base::overloaded{
          [](const core::action_finish&) { return seen_action{finish}; },
          [&](const core::action_submit& a) { return seen_action{submit, words_.add(a.what)}; },
          [&](const core::action_renew& a) { return seen_action{renew, words_.add(command{a.what})}; },
          [](const core::action_forward& a) { return seen_action{forward, static_cast<std::uint32_t>(a.token)}; },
          [](const core::action_pass_unguarded&) { return seen_action{pass_unguarded}; },
          [](const core::action_join_probe&) { return seen_action{join_probe}; },
          [](const core::action_leave_probe&) { return seen_action{leave_probe}; },
          [&](const core::action_end_probe& a) { return seen_action{end_probe, words_.add(a.end)}; },
          [](const core::action_probe&) { return seen_action{probe}; },
          [](const core::action_join_waiters&) { return seen_action{join_waiters}; },
          [](const core::action_leave_waiters&) { return seen_action{leave_waiters}; },
          [&](const core::action_wake_waiters& a) { return seen_action{wake_waiters, words_.add(a.end)}; },
          [](const core::action_set_deadline& a) { return seen_action{set_deadline, milliseconds_of(a.when)}; },
          [&](const core::action_respond& a) { return seen_action{respond, 0, told_of(a.source, words_.answers())}; },
          [](const core::action_note&) -> seen_action { onceward_unreachable("notes are left out"); },
      },
      what);
}

}  // namespace onceward::model
