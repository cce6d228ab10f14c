// The exchange machine, event by event: scripts of one exchange, each checked against the exact list of actions, and
// one table that visits every state with every event.
#include "core/exchange.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/outcome.h"
#include "core/record_codec.h"

namespace onceward::core {
namespace {

using base::moment;
using std::chrono::milliseconds;

shared_bytes bytes(std::string_view text) {
  return std::make_shared<const std::string>(text);
}

attempt_id attempt(int number) {
  attempt_id id;
  id.bytes[0] = static_cast<std::byte>(number);
  return id;
}

policy rules_for_tests() {
  policy rules;
  rules.outcomes = default_outcomes();
  rules.probe.url = "/status/{key}";
  return rules;
}

// An exchange, its clock and the actions of its last event.
struct script {
  explicit script(policy with = rules_for_tests()) : rules(std::move(with)) {}

  script& tell(exchange_event what) {
    last = machine.on(std::move(what), now);
    return *this;
  }
  script& reply_with(reply value) { return tell(event_store_replied{std::move(value)}); }
  script& after(milliseconds passed) {
    now += passed;
    return *this;
  }
  script& granted(std::uint32_t number = 1) {
    tell(event_started{});
    return reply_with(claim_granted{fence{7}, number, rules.lease});
  }
  script& answered(std::uint16_t status, shared_bytes response = bytes("response")) {
    return tell(
        event_upstream_ended{upstream_answer{status, std::nullopt, std::nullopt, std::move(response), tombstone}});
  }
  script& waiting() {
    tell(event_started{});
    reply_with(record_in_flight{summary(), milliseconds{30'000}});
    return reply_with(record_in_flight{summary(), milliseconds{30'000}});
  }
  // The first of its key: it has looked at the record and asks the upstream.
  script& probing() {
    tell(event_started{}).reply_with(record_unknown{summary()});
    return tell(event_probe_joined{true}).reply_with(record_unknown{summary()});
  }
  script& behind_a_probe() {
    return tell(event_started{}).reply_with(record_unknown{summary()}).tell(event_probe_joined{false});
  }

  record_summary summary(std::string_view fingerprint = "print") const {
    return {attempt(9), 1, fence{3}, wall_time{}, wall_time{}, wall_time{}, bytes(fingerprint)};
  }

  template <typename Action>
  const Action* find_action() const {
    for (const action& each : last) {
      if (const auto* found = std::get_if<Action>(&each)) return found;
    }
    return nullptr;
  }
  template <typename Command>
  const Command* submitted() const {
    const auto* found = find_action<action_submit>();
    return found == nullptr ? nullptr : std::get_if<Command>(&found->what);
  }
  const problem* refused() const {
    const auto* found = find_action<action_respond>();
    const auto* with = found == nullptr ? nullptr : std::get_if<respond_problem>(&found->source);
    return with == nullptr ? nullptr : &with->what;
  }
  template <typename Source>
  const Source* responded() const {
    const auto* found = find_action<action_respond>();
    return found == nullptr ? nullptr : std::get_if<Source>(&found->source);
  }
  const ended_attempt* woken() const {
    const auto* found = find_action<action_wake_waiters>();
    return found == nullptr ? nullptr : &found->end;
  }
  const ended_attempt* ended_probe() const {
    const auto* found = find_action<action_end_probe>();
    return found == nullptr ? nullptr : &found->end;
  }
  bool has_note(noted what) const {
    for (const action& each : last) {
      if (const auto* found = std::get_if<action_note>(&each); found != nullptr && found->what == what) return true;
    }
    return false;
  }

  policy rules;
  shared_bytes tombstone = write_tombstone({201, "/charges/1"});
  moment now{std::chrono::seconds{1'000}};
  exchange machine{{record_key{}, attempt(1), bytes("print")}, rules};
  action_list last;
};

// ---- The first execution -------------------------------------------------------------------------------------------

TEST(exchange, claims_before_it_forwards_and_records_before_it_responds) {
  script s;
  s.tell(event_started{});
  ASSERT_EQ(s.last.size(), 1u);
  const auto* asked = s.submitted<claim>();
  ASSERT_NE(asked, nullptr);
  EXPECT_EQ(asked->attempt, attempt(1));
  EXPECT_EQ(asked->lease, s.rules.lease);
  EXPECT_FALSE(asked->over_unknown);

  s.reply_with(claim_granted{fence{7}, 2, s.rules.lease});
  const auto* forward = s.find_action<action_forward>();
  ASSERT_NE(forward, nullptr);
  EXPECT_EQ(forward->attempt_number, 2u);
  EXPECT_EQ(forward->token, fence{7});
  EXPECT_EQ(s.find_action<action_set_deadline>()->when, s.now + s.rules.lease / 3);

  s.answered(201);
  ASSERT_EQ(s.last.size(), 1u);
  const auto* outcome = s.submitted<complete>();
  ASSERT_NE(outcome, nullptr);
  EXPECT_EQ(*std::get<outcome_completed>(outcome->outcome).response, "response");

  s.reply_with(applied{});
  ASSERT_NE(s.responded<respond_live>(), nullptr);
  EXPECT_FALSE(s.responded<respond_live>()->not_recorded);
  const auto* woken = s.find_action<action_wake_waiters>();
  ASSERT_NE(woken, nullptr);
  EXPECT_EQ(woken->end.how, attempt_end::completed);
  EXPECT_EQ(*woken->end.fingerprint, "print");
  EXPECT_TRUE(s.machine.finished());
}

TEST(exchange, keeps_the_retention_that_the_upstream_states) {
  script s;
  s.granted().tell(
      event_upstream_ended{upstream_answer{200, std::nullopt, milliseconds{5'000}, bytes("r"), s.tombstone}});
  EXPECT_EQ(std::get<outcome_completed>(s.submitted<complete>()->outcome).retention, milliseconds{5'000});
}

TEST(exchange, releases_the_key_when_the_upstream_refused_and_hands_its_answer_to_the_waiters) {
  script s;
  s.granted().answered(503);
  ASSERT_NE(s.submitted<release>(), nullptr);
  s.reply_with(applied{});
  EXPECT_NE(s.responded<respond_live>(), nullptr);
  EXPECT_EQ(s.find_action<action_wake_waiters>()->end.how, attempt_end::released);
  EXPECT_EQ(*s.find_action<action_wake_waiters>()->end.response, "response");
}

TEST(exchange, what_the_upstream_says_of_its_own_answer_beats_the_status) {
  script s;
  s.granted().tell(
      event_upstream_ended{upstream_answer{500, outcome_class::completed, std::nullopt, bytes("r"), s.tombstone}});
  ASSERT_NE(s.submitted<complete>(), nullptr);
  EXPECT_TRUE(std::holds_alternative<outcome_completed>(s.submitted<complete>()->outcome));
}

TEST(exchange, an_upstreams_504_makes_the_key_unknown_and_is_passed_on) {
  script s;
  s.granted().answered(504);
  ASSERT_NE(s.submitted<complete>(), nullptr);
  EXPECT_TRUE(std::holds_alternative<outcome_unknown>(s.submitted<complete>()->outcome));
  s.reply_with(applied{});
  EXPECT_NE(s.responded<respond_live>(), nullptr);
  EXPECT_EQ(s.find_action<action_wake_waiters>()->end.how, attempt_end::unknown);
}

TEST(exchange, a_body_that_is_not_kept_still_completes_the_record) {
  script s;
  s.granted().answered(200, nullptr);
  const auto& outcome = std::get<outcome_completed>(s.submitted<complete>()->outcome);
  EXPECT_EQ(outcome.response, nullptr);
  EXPECT_NE(outcome.tombstone, nullptr);
}

TEST(exchange, a_definite_failure_frees_the_key_and_says_so) {
  script s;
  s.granted().tell(event_upstream_ended{definite_failure::unreachable});
  ASSERT_NE(s.submitted<release>(), nullptr);
  s.reply_with(applied{});
  ASSERT_NE(s.refused(), nullptr);
  EXPECT_EQ(s.refused()->type, problem_type::upstream_unreachable);
  EXPECT_EQ(s.refused()->status, 502);
  EXPECT_EQ(s.refused()->state, operation_state::absent);
  EXPECT_TRUE(s.refused()->new_key_safe);
}

TEST(exchange, an_indefinite_failure_leaves_the_key_openly_unknown) {
  for (const auto& [failure, type, status] :
       {std::tuple{indefinite_failure::failed, problem_type::upstream_failed, 502},
        std::tuple{indefinite_failure::timed_out, problem_type::upstream_timeout, 504}}) {
    script s;
    s.granted().tell(event_upstream_ended{failure});
    ASSERT_NE(s.submitted<complete>(), nullptr);
    EXPECT_TRUE(std::holds_alternative<outcome_unknown>(s.submitted<complete>()->outcome));
    s.reply_with(applied{});
    ASSERT_NE(s.refused(), nullptr);
    EXPECT_EQ(s.refused()->type, type);
    EXPECT_EQ(s.refused()->status, status);
    EXPECT_EQ(s.refused()->state, operation_state::unknown);
    EXPECT_FALSE(s.refused()->new_key_safe);
  }
}

// ---- The lease -----------------------------------------------------------------------------------------------------

TEST(exchange, renews_its_lease_at_a_third_of_its_length_while_the_attempt_lives) {
  script s;
  s.granted();
  for (int third = 0; third < 5; ++third) {
    s.after(s.rules.lease / 3).tell(event_deadline{});
    ASSERT_NE(s.find_action<action_renew>(), nullptr);
    EXPECT_EQ(s.find_action<action_set_deadline>()->when, s.now + s.rules.lease / 3);
    s.tell(event_renewal_replied{applied{}});
    EXPECT_TRUE(s.last.empty());
  }
}

TEST(exchange, submits_one_renewal_at_a_time) {
  script s;
  s.granted().after(s.rules.lease / 3).tell(event_deadline{});
  ASSERT_NE(s.find_action<action_renew>(), nullptr);
  s.after(s.rules.lease / 3).tell(event_deadline{});
  EXPECT_EQ(s.find_action<action_renew>(), nullptr);
  EXPECT_NE(s.find_action<action_set_deadline>(), nullptr);
}

TEST(exchange, a_lost_lease_ends_the_renewals_and_not_the_attempt) {
  script s;
  s.granted().after(s.rules.lease / 3).tell(event_deadline{});
  s.tell(event_renewal_replied{record_unknown{s.summary()}});
  EXPECT_TRUE(s.has_note(noted::renewal_failed));
  s.after(s.rules.lease).tell(event_deadline{});
  EXPECT_TRUE(s.last.empty());
  s.answered(200);
  EXPECT_NE(s.submitted<complete>(), nullptr);
}

TEST(exchange, a_grant_that_arrives_after_its_lease_is_given_back_and_not_forwarded) {
  script s;
  s.tell(event_started{}).after(s.rules.lease).reply_with(claim_granted{fence{7}, 1, s.rules.lease});
  EXPECT_EQ(s.find_action<action_forward>(), nullptr);
  EXPECT_NE(s.submitted<release>(), nullptr);
  ASSERT_NE(s.refused(), nullptr);
  EXPECT_EQ(s.refused()->type, problem_type::store_unavailable);
}

TEST(exchange, nothing_of_an_attempt_may_be_sent_when_its_lease_has_ended) {
  script s;
  s.granted();
  EXPECT_TRUE(s.machine.may_send_attempt(s.now + s.rules.lease - milliseconds{1}));
  EXPECT_FALSE(s.machine.may_send_attempt(s.now + s.rules.lease));
  s.after(s.rules.lease / 3).tell(event_deadline{}).tell(event_renewal_replied{applied{}});
  EXPECT_TRUE(s.machine.may_send_attempt(s.now + s.rules.lease - milliseconds{1}));
  EXPECT_FALSE(s.machine.may_send_attempt(s.now + s.rules.lease));
  s.answered(200);
  EXPECT_FALSE(s.machine.may_send_attempt(s.now));
}

// ---- The store fails -----------------------------------------------------------------------------------------------

TEST(exchange, a_definite_store_failure_forwards_nothing_and_answers_503) {
  script s;
  s.tell(event_started{}).reply_with(store_failure{certainty::definite, errc::full});
  ASSERT_NE(s.refused(), nullptr);
  EXPECT_EQ(s.refused()->type, problem_type::store_unavailable);
  EXPECT_EQ(s.refused()->status, 503);
  EXPECT_EQ(s.refused()->state, operation_state::absent);
  EXPECT_TRUE(s.machine.finished());
}

TEST(exchange, a_store_that_cannot_be_asked_says_nothing_of_the_key) {
  script s;
  s.tell(event_started{}).reply_with(store_failure{certainty::definite, errc::unavailable});
  EXPECT_EQ(s.refused()->type, problem_type::store_unavailable);
  EXPECT_EQ(s.refused()->state, operation_state::unknown);
  EXPECT_FALSE(s.refused()->new_key_safe);
}

TEST(exchange, an_indefinite_claim_is_submitted_again_as_it_was_and_given_back_at_last) {
  script s;
  s.tell(event_started{});
  int submissions = 1;
  while (true) {
    s.reply_with(store_failure{certainty::indefinite, errc::timeout});
    if (s.machine.finished()) break;
    ASSERT_NE(s.find_action<action_set_deadline>(), nullptr);
    s.after(milliseconds{400}).tell(event_deadline{});
    if (s.machine.finished()) break;
    ASSERT_NE(s.submitted<claim>(), nullptr);
    EXPECT_EQ(s.submitted<claim>()->attempt, attempt(1));
    ++submissions;
  }
  EXPECT_GT(submissions, 2);
  ASSERT_NE(s.submitted<release>(), nullptr);
  EXPECT_EQ(s.refused()->type, problem_type::store_unavailable);
  EXPECT_EQ(s.refused()->state, operation_state::unknown);
  EXPECT_FALSE(s.refused()->new_key_safe);
}

TEST(exchange, passes_unguarded_only_where_the_route_prefers_that) {
  policy rules = rules_for_tests();
  rules.on_store_failure = store_failure_policy::pass;
  script s{rules};
  s.tell(event_started{}).reply_with(store_failure{certainty::definite, errc::unavailable});
  EXPECT_NE(s.find_action<action_pass_unguarded>(), nullptr);
  EXPECT_EQ(s.find_action<action_respond>(), nullptr);
  EXPECT_TRUE(s.machine.finished());
}

TEST(exchange, submits_the_same_outcome_until_the_lease_ends_and_then_says_that_it_is_not_recorded) {
  script s;
  s.granted().answered(201);
  const moment lease_end = s.now + s.rules.lease;
  int submissions = 1;
  while (s.now < lease_end) {
    s.reply_with(store_failure{certainty::indefinite, errc::timeout});
    ASSERT_NE(s.find_action<action_set_deadline>(), nullptr);
    ASSERT_LE(s.find_action<action_set_deadline>()->when, lease_end);
    s.now = s.find_action<action_set_deadline>()->when;
    s.tell(event_deadline{});
    ASSERT_NE(s.submitted<complete>(), nullptr);
    ++submissions;
  }
  EXPECT_GT(submissions, 20);
  s.reply_with(store_failure{certainty::indefinite, errc::timeout});
  EXPECT_EQ(s.refused()->type, problem_type::not_recorded);
  EXPECT_EQ(s.refused()->status, 503);
  EXPECT_TRUE(s.has_note(noted::outcome_lost));
  EXPECT_EQ(s.find_action<action_wake_waiters>()->end.how, attempt_end::unknown);
}

TEST(exchange, an_unrecorded_answer_is_passed_on_marked_where_the_route_prefers_it) {
  policy rules = rules_for_tests();
  rules.prefer_live_response = true;
  script s{rules};
  s.granted().answered(201).after(s.rules.lease).reply_with(store_failure{certainty::indefinite, errc::timeout});
  ASSERT_NE(s.responded<respond_live>(), nullptr);
  EXPECT_TRUE(s.responded<respond_live>()->not_recorded);
}

TEST(exchange, a_stragglers_outcome_is_fenced_and_never_shown_as_recorded) {
  script s;
  s.granted().answered(201).reply_with(fenced{});
  EXPECT_TRUE(s.has_note(noted::outcome_fenced));
  EXPECT_EQ(s.refused()->type, problem_type::not_recorded);
  EXPECT_EQ(s.find_action<action_wake_waiters>(), nullptr);
}

TEST(exchange, a_result_that_was_recorded_faster_is_what_the_attempts_own_client_gets) {
  script s;
  s.granted().answered(201).reply_with(record_completed{s.summary(), bytes("probed"), s.tombstone});
  ASSERT_NE(s.responded<respond_replay>(), nullptr);
  EXPECT_EQ(*s.responded<respond_replay>()->response, "probed");
  EXPECT_EQ(*s.find_action<action_wake_waiters>()->end.response, "probed");
}

TEST(exchange, a_release_that_the_store_did_not_take_leaves_the_key_unknown_in_the_answer) {
  script s;
  s.granted().tell(event_upstream_ended{definite_failure::unreachable});
  s.after(s.rules.lease).reply_with(store_failure{certainty::indefinite, errc::timeout});
  EXPECT_EQ(s.refused()->type, problem_type::upstream_unreachable);
  EXPECT_EQ(s.refused()->state, operation_state::unknown);
  EXPECT_TRUE(s.refused()->new_key_safe);
}

// ---- Duplicates ----------------------------------------------------------------------------------------------------

TEST(exchange, replays_a_completed_record) {
  script s;
  s.tell(event_started{}).reply_with(record_completed{s.summary(), bytes("stored"), s.tombstone});
  ASSERT_NE(s.responded<respond_replay>(), nullptr);
  EXPECT_EQ(*s.responded<respond_replay>()->response, "stored");
  EXPECT_TRUE(s.has_note(noted::duplicate_effect_prevented));
  EXPECT_TRUE(s.machine.finished());
}

TEST(exchange, tells_what_is_left_of_a_result_whose_body_is_gone) {
  script s;
  s.tell(event_started{}).reply_with(record_completed{s.summary(), nullptr, s.tombstone});
  ASSERT_NE(s.refused(), nullptr);
  EXPECT_EQ(s.refused()->type, problem_type::result_gone);
  EXPECT_EQ(s.refused()->result_status, 201);
  EXPECT_EQ(s.refused()->result_location, "/charges/1");
}

TEST(exchange, answers_a_duplicate_with_a_conflict_where_the_route_says_so) {
  policy rules = rules_for_tests();
  rules.duplicate = duplicate_policy::conflict;
  script s{rules};
  s.tell(event_started{}).reply_with(record_completed{s.summary(), bytes("stored"), s.tombstone});
  ASSERT_NE(s.refused(), nullptr);
  EXPECT_EQ(s.refused()->type, problem_type::duplicate);
  EXPECT_EQ(s.refused()->status, 409);
  EXPECT_EQ(s.refused()->result_location, "/charges/1");
}

TEST(exchange, a_mismatch_is_refused_in_every_state_of_the_record_and_changes_nothing) {
  script probe;
  const std::vector<std::pair<reply, operation_state>> records = {
      {record_in_flight{probe.summary("other"), milliseconds{1'000}}, operation_state::in_flight},
      {record_completed{probe.summary("other"), bytes("stored"), probe.tombstone}, operation_state::completed},
      {record_completed{probe.summary("other"), nullptr, probe.tombstone}, operation_state::completed},
      {record_unknown{probe.summary("other")}, operation_state::unknown},
  };
  for (const auto& [record, state] : records) {
    for (const unknown_policy on_unknown :
         {unknown_policy::refuse, unknown_policy::redispatch, unknown_policy::probe}) {
      policy rules = rules_for_tests();
      rules.on_unknown = on_unknown;
      script s{rules};
      s.tell(event_started{}).reply_with(record);
      ASSERT_NE(s.refused(), nullptr);
      EXPECT_EQ(s.refused()->type, problem_type::mismatch);
      EXPECT_EQ(s.refused()->status, 422);
      EXPECT_EQ(s.refused()->state, state);
      EXPECT_EQ(s.find_action<action_submit>(), nullptr);
      EXPECT_TRUE(s.machine.finished());
    }
  }
}

TEST(exchange, a_duplicate_joins_the_waiters_before_it_looks_again) {
  script s;
  s.tell(event_started{}).reply_with(record_in_flight{s.summary(), milliseconds{30'000}});
  ASSERT_EQ(s.last.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<action_join_waiters>(*s.last.begin()));
  EXPECT_NE(s.submitted<find>(), nullptr);
  EXPECT_EQ(s.find_action<action_set_deadline>()->when, s.now + s.rules.wait);
}

TEST(exchange, a_waiter_gets_the_completed_answer_as_a_replay) {
  script s;
  s.waiting().tell(
      event_attempt_ended{{attempt_end::completed, fence{3}, bytes("print"), bytes("stored"), s.tombstone}});
  ASSERT_NE(s.responded<respond_replay>(), nullptr);
  EXPECT_TRUE(s.machine.finished());
}

TEST(exchange, a_waiter_gets_a_released_attempts_answer_unchanged_and_does_not_claim) {
  script s;
  s.waiting().tell(event_attempt_ended{{attempt_end::released, fence{3}, bytes("print"), bytes("503"), nullptr}});
  ASSERT_NE(s.responded<respond_same>(), nullptr);
  EXPECT_EQ(s.find_action<action_submit>(), nullptr);
}

TEST(exchange, a_waiter_of_an_attempt_that_reached_nobody_hears_the_same) {
  script s;
  s.waiting().tell(event_attempt_ended{{attempt_end::unreachable, fence{3}, bytes("print"), nullptr, nullptr}});
  EXPECT_EQ(s.refused()->type, problem_type::upstream_unreachable);
}

TEST(exchange, a_waiter_of_an_unknown_outcome_gets_a_409) {
  script s;
  s.waiting().tell(event_attempt_ended{{attempt_end::unknown, fence{3}, bytes("print"), nullptr, nullptr}});
  EXPECT_EQ(s.refused()->type, problem_type::outcome_unknown);
  EXPECT_EQ(s.refused()->status, 409);
}

TEST(exchange, a_waiter_is_never_served_the_end_of_another_request) {
  script s;
  s.waiting().tell(
      event_attempt_ended{{attempt_end::completed, fence{3}, bytes("other"), bytes("secret"), s.tombstone}});
  EXPECT_EQ(s.responded<respond_replay>(), nullptr);
  EXPECT_EQ(s.refused()->type, problem_type::in_flight);
}

TEST(exchange, a_waiter_does_not_take_the_end_of_an_earlier_attempt_for_that_of_its_own) {
  script s;
  s.waiting().tell(event_attempt_ended{{attempt_end::unreachable, fence{2}, bytes("print"), nullptr, nullptr}});
  EXPECT_EQ(s.refused(), nullptr);
  EXPECT_NE(s.submitted<claim>(), nullptr);  // It is off the list, so it looks again.
}

TEST(exchange, a_waiter_that_hears_of_an_earlier_attempt_while_it_looks_looks_once_more_afterwards) {
  script s;
  s.tell(event_started{}).reply_with(record_in_flight{s.summary(), milliseconds{30'000}});
  s.tell(event_attempt_ended{{attempt_end::released, fence{2}, bytes("print"), bytes("503"), nullptr}});
  EXPECT_TRUE(s.last.empty());
  s.reply_with(record_in_flight{s.summary(), milliseconds{30'000}});
  EXPECT_NE(s.submitted<claim>(), nullptr);
}

TEST(exchange, a_waiter_that_joined_too_late_finds_the_record_by_its_second_look) {
  script s;
  s.tell(event_started{}).reply_with(record_in_flight{s.summary(), milliseconds{30'000}});
  s.reply_with(record_completed{s.summary(), bytes("stored"), s.tombstone});
  EXPECT_NE(s.find_action<action_leave_waiters>(), nullptr);
  EXPECT_NE(s.responded<respond_replay>(), nullptr);
}

TEST(exchange, a_waiter_that_missed_a_release_claims_for_itself) {
  script s;
  s.tell(event_started{}).reply_with(record_in_flight{s.summary(), milliseconds{30'000}});
  s.reply_with(record_released{s.summary()});
  EXPECT_NE(s.find_action<action_leave_waiters>(), nullptr);
  EXPECT_NE(s.submitted<claim>(), nullptr);
}

TEST(exchange, a_waiter_looks_again_when_the_lease_of_the_other_ends) {
  script s;
  s.tell(event_started{}).reply_with(record_in_flight{s.summary(), milliseconds{2'000}});
  s.reply_with(record_in_flight{s.summary(), milliseconds{2'000}});
  ASSERT_NE(s.find_action<action_set_deadline>(), nullptr);
  EXPECT_EQ(s.find_action<action_set_deadline>()->when, s.now + milliseconds{2'001});
  s.after(milliseconds{2'001}).tell(event_deadline{});
  EXPECT_NE(s.submitted<find>(), nullptr);
  s.reply_with(record_unknown{s.summary()});
  EXPECT_EQ(s.refused()->type, problem_type::outcome_unknown);
}

TEST(exchange, a_wait_is_bounded) {
  script s;
  s.waiting().after(s.rules.wait).tell(event_deadline{});
  EXPECT_EQ(s.refused()->type, problem_type::in_flight);
  EXPECT_TRUE(s.refused()->wants_retry_after);
  EXPECT_NE(s.find_action<action_leave_waiters>(), nullptr);
}

TEST(exchange, a_wait_of_zero_is_the_drafts_immediate_conflict) {
  policy rules = rules_for_tests();
  rules.wait = milliseconds{0};
  script s{rules};
  s.tell(event_started{}).reply_with(record_in_flight{s.summary(), milliseconds{30'000}});
  EXPECT_EQ(s.refused()->type, problem_type::in_flight);
  EXPECT_EQ(s.refused()->status, 409);
  EXPECT_EQ(s.find_action<action_join_waiters>(), nullptr);
}

TEST(exchange, over_the_bound_of_waiters_a_duplicate_is_answered_at_once) {
  script s;
  s.tell(event_started{}).reply_with(record_in_flight{s.summary(), milliseconds{30'000}});
  s.tell(event_wait_refused{});
  EXPECT_EQ(s.refused()->type, problem_type::in_flight);
}

TEST(exchange, a_drain_answers_whoever_merely_waits) {
  script waiter;
  waiter.waiting().tell(event_draining{});
  EXPECT_EQ(waiter.refused()->type, problem_type::draining);
  EXPECT_EQ(waiter.refused()->status, 503);
  script owner;
  owner.granted().tell(event_draining{});
  EXPECT_TRUE(owner.last.empty());
}

// ---- The client goes away ------------------------------------------------------------------------------------------

TEST(exchange, an_attempt_outlives_its_client_and_is_recorded) {
  script s;
  s.granted().tell(event_client_gone{});
  EXPECT_TRUE(s.last.empty());
  s.answered(201);
  ASSERT_NE(s.submitted<complete>(), nullptr);
  s.reply_with(applied{});
  EXPECT_EQ(s.find_action<action_respond>(), nullptr);
  EXPECT_NE(s.find_action<action_wake_waiters>(), nullptr);
  EXPECT_TRUE(s.machine.finished());
}

TEST(exchange, a_wait_ends_with_its_client) {
  script s;
  s.waiting().tell(event_client_gone{});
  EXPECT_NE(s.find_action<action_leave_waiters>(), nullptr);
  EXPECT_EQ(s.find_action<action_respond>(), nullptr);
  EXPECT_TRUE(s.machine.finished());
}

TEST(exchange, a_claim_that_is_granted_after_its_client_left_is_still_forwarded) {
  script s;
  s.tell(event_started{}).tell(event_client_gone{});
  s.reply_with(claim_granted{fence{7}, 1, s.rules.lease});
  EXPECT_NE(s.find_action<action_forward>(), nullptr);
}

// ---- Unknown outcomes ----------------------------------------------------------------------------------------------

TEST(exchange, refuses_an_unknown_outcome_by_default) {
  script s;
  s.tell(event_started{}).reply_with(record_unknown{s.summary()});
  EXPECT_EQ(s.refused()->type, problem_type::outcome_unknown);
  EXPECT_FALSE(s.refused()->retryable);
  EXPECT_FALSE(s.refused()->new_key_safe);
}

TEST(exchange, redispatch_takes_the_record_over_from_the_attempt_that_left_it) {
  policy rules = rules_for_tests();
  rules.on_unknown = unknown_policy::redispatch;
  script s{rules};
  s.tell(event_started{}).reply_with(record_unknown{s.summary()});
  ASSERT_NE(s.submitted<claim>(), nullptr);
  EXPECT_EQ(s.submitted<claim>()->over_unknown, attempt(9));
  s.reply_with(claim_granted{fence{8}, 2, s.rules.lease});
  EXPECT_TRUE(s.has_note(noted::takeover));
  ASSERT_NE(s.find_action<action_forward>(), nullptr);
  EXPECT_EQ(s.find_action<action_forward>()->attempt_number, 2u);
}

policy rules_that_redispatch() {
  policy rules = rules_for_tests();
  rules.on_unknown = unknown_policy::redispatch;
  return rules;
}
// It has claimed over an attempt whose outcome is unknown.
struct takeover_script : script {
  takeover_script() : script(rules_that_redispatch()) { tell(event_started{}).reply_with(record_unknown{summary()}); }
};

TEST(exchange, a_takeover_that_did_nothing_leaves_the_key_unknown_because_the_attempt_before_may_have) {
  takeover_script refused;
  refused.reply_with(claim_granted{fence{8}, 2, refused.rules.lease}).answered(503);
  ASSERT_NE(refused.submitted<complete>(), nullptr);
  EXPECT_TRUE(std::holds_alternative<outcome_unknown>(refused.submitted<complete>()->outcome));
  refused.reply_with(applied{});
  EXPECT_NE(refused.responded<respond_live>(), nullptr);
  EXPECT_EQ(refused.woken()->how, attempt_end::unknown);

  takeover_script unreachable;
  unreachable.reply_with(claim_granted{fence{8}, 2, unreachable.rules.lease});
  unreachable.tell(event_upstream_ended{definite_failure::unreachable});
  ASSERT_NE(unreachable.submitted<complete>(), nullptr);
  unreachable.reply_with(applied{});
  EXPECT_EQ(unreachable.refused()->type, problem_type::outcome_unknown);
  EXPECT_FALSE(unreachable.refused()->new_key_safe);
  EXPECT_TRUE(unreachable.refused()->retryable);
}

TEST(exchange, a_takeover_whose_grant_came_too_late_leaves_the_key_unknown) {
  takeover_script s;
  s.after(s.rules.lease).reply_with(claim_granted{fence{8}, 2, s.rules.lease});
  EXPECT_EQ(s.submitted<release>(), nullptr);
  ASSERT_NE(s.submitted<complete>(), nullptr);
  EXPECT_TRUE(std::holds_alternative<outcome_unknown>(s.submitted<complete>()->outcome));
}

TEST(exchange, a_takeover_that_a_full_store_refuses_leaves_the_key_unknown) {
  takeover_script s;
  s.reply_with(store_failure{certainty::definite, errc::full});
  EXPECT_EQ(s.refused()->state, operation_state::unknown);
  EXPECT_FALSE(s.refused()->new_key_safe);
}

TEST(exchange, a_takeover_is_released_where_the_upstream_says_so_itself) {
  takeover_script s;
  s.reply_with(claim_granted{fence{8}, 2, s.rules.lease});
  s.tell(event_upstream_ended{
      upstream_answer{503, outcome_class::released, std::nullopt, bytes("response"), s.tombstone}});
  EXPECT_NE(s.submitted<release>(), nullptr);
}

TEST(exchange, a_record_that_changes_under_every_takeover_ends_in_a_conflict_and_not_in_a_loop) {
  policy rules = rules_for_tests();
  rules.on_unknown = unknown_policy::redispatch;
  script s{rules};
  s.tell(event_started{});
  int claims = 0;
  while (!s.machine.finished()) {
    s.reply_with(record_unknown{s.summary()});
    ASSERT_LT(++claims, 20);
  }
  EXPECT_EQ(s.refused()->type, problem_type::in_flight);
}

policy rules_that_probe() {
  policy rules = rules_for_tests();
  rules.on_unknown = unknown_policy::probe;
  return rules;
}

struct unknown_script : script {
  unknown_script() : script(rules_that_probe()) { tell(event_started{}).reply_with(record_unknown{summary()}); }
};
struct probing_script : script {
  probing_script() : script(rules_that_probe()) { probing(); }
};
struct behind_probe_script : script {
  behind_probe_script() : script(rules_that_probe()) { behind_a_probe(); }
};

TEST(exchange, looks_at_the_record_before_it_probes) {
  unknown_script s;
  ASSERT_NE(s.find_action<action_join_probe>(), nullptr);
  EXPECT_EQ(s.find_action<action_probe>(), nullptr);
  s.tell(event_probe_joined{true});
  EXPECT_NE(s.submitted<find>(), nullptr);
  EXPECT_EQ(s.find_action<action_probe>(), nullptr);
  s.reply_with(record_unknown{s.summary()});
  EXPECT_NE(s.find_action<action_probe>(), nullptr);
}

TEST(exchange, does_not_probe_for_what_the_probe_before_has_found) {
  unknown_script s;
  s.tell(event_probe_joined{true}).reply_with(record_completed{s.summary(), bytes("stored"), s.tombstone});
  EXPECT_EQ(s.find_action<action_probe>(), nullptr);
  EXPECT_NE(s.responded<respond_replay>(), nullptr);
  ASSERT_NE(s.ended_probe(), nullptr);
  EXPECT_EQ(s.ended_probe()->how, attempt_end::completed);
}

TEST(exchange, a_duplicate_behind_a_probe_asks_neither_the_upstream_nor_the_store) {
  behind_probe_script s;
  ASSERT_EQ(s.last.size(), 1u);
  EXPECT_EQ(s.find_action<action_set_deadline>()->when, s.now + s.rules.wait);
  EXPECT_TRUE(s.machine.is_waiting());
}

TEST(exchange, a_duplicate_behind_a_probe_gets_what_it_found) {
  behind_probe_script found;
  found.tell(event_attempt_ended{{attempt_end::completed, fence{3}, bytes("print"), bytes("stored"), found.tombstone}});
  EXPECT_EQ(*found.responded<respond_replay>()->response, "stored");
  behind_probe_script nothing;
  nothing.tell(event_attempt_ended{{attempt_end::unknown, fence{3}, bytes("print"), nullptr, nullptr}});
  EXPECT_EQ(nothing.refused()->type, problem_type::outcome_unknown);
}

TEST(exchange, a_duplicate_behind_a_probe_waits_no_longer_than_its_bound) {
  behind_probe_script s;
  s.after(s.rules.wait).tell(event_deadline{});
  EXPECT_EQ(s.refused()->type, problem_type::outcome_unknown);
  EXPECT_EQ(s.refused()->state, operation_state::unknown);
  EXPECT_NE(s.find_action<action_leave_waiters>(), nullptr);
}

TEST(exchange, a_duplicate_behind_a_probe_that_was_given_up_asks_the_store_again) {
  behind_probe_script s;
  s.tell(event_attempt_ended{{attempt_end::look_again, fence{3}, bytes("print"), nullptr, nullptr}});
  ASSERT_NE(s.submitted<claim>(), nullptr);
  EXPECT_FALSE(s.submitted<claim>()->over_unknown);
  s.reply_with(record_unknown{s.summary()});
  EXPECT_NE(s.find_action<action_join_probe>(), nullptr);
}

TEST(exchange, probes_that_are_given_up_one_after_the_other_do_not_make_a_wait_longer) {
  behind_probe_script s;
  const moment give_up = s.now + s.rules.wait;
  s.after(s.rules.wait / 2)
      .tell(event_attempt_ended{{attempt_end::look_again, fence{3}, bytes("print"), nullptr, nullptr}});
  s.reply_with(record_unknown{s.summary()}).tell(event_probe_joined{false});
  EXPECT_EQ(s.find_action<action_set_deadline>()->when, give_up);
}

TEST(exchange, beyond_the_bound_of_waiters_nobody_waits_for_a_probe) {
  unknown_script s;
  s.tell(event_wait_refused{});
  EXPECT_EQ(s.refused()->type, problem_type::outcome_unknown);
  EXPECT_EQ(s.woken(), nullptr);
}

TEST(exchange, what_a_probe_found_is_told_to_those_who_wait_for_it) {
  probing_script s;
  s.tell(event_probe_ended{probe_found{bytes("found"), s.tombstone}}).reply_with(applied{});
  s.reply_with(record_completed{s.summary(), bytes("stored"), s.tombstone});
  ASSERT_NE(s.ended_probe(), nullptr);
  EXPECT_EQ(s.ended_probe()->how, attempt_end::completed);
  EXPECT_EQ(*s.ended_probe()->response, "stored");
  EXPECT_EQ(*s.ended_probe()->fingerprint, "print");
}

TEST(exchange, a_probe_without_a_verdict_ends_the_wait_of_all) {
  probing_script s;
  s.tell(event_probe_ended{probe_verdict::no_verdict});
  ASSERT_NE(s.ended_probe(), nullptr);
  EXPECT_EQ(s.ended_probe()->how, attempt_end::unknown);
}

TEST(exchange, an_attempts_waiter_is_not_told_of_a_probe) {
  script s;
  s.waiting().tell(event_attempt_ended{{attempt_end::look_again, fence{3}, bytes("print"), nullptr, nullptr}});
  EXPECT_TRUE(s.last.empty());
  EXPECT_TRUE(s.machine.is_waiting());
}

TEST(exchange, a_duplicate_that_hears_of_an_end_elsewhere_asks_the_store) {
  const event_attempt_ended heard{{attempt_end::elsewhere, fence{0}, nullptr, nullptr, nullptr}};
  script s;
  s.waiting().tell(heard);
  ASSERT_NE(s.submitted<claim>(), nullptr);
  s.reply_with(record_completed{s.summary(), bytes("stored"), s.tombstone});
  EXPECT_NE(s.find_action<action_respond>(), nullptr);
  EXPECT_TRUE(s.machine.finished());

  behind_probe_script behind;
  behind.tell(heard);
  EXPECT_NE(behind.submitted<claim>(), nullptr);
}

TEST(exchange, a_duplicate_that_hears_of_an_end_elsewhere_while_it_reads_asks_once_it_has_read) {
  script s;
  s.tell(event_started{}).reply_with(record_in_flight{s.summary(), milliseconds{30'000}});
  s.tell(event_attempt_ended{{attempt_end::elsewhere, fence{0}, nullptr, nullptr, nullptr}});
  EXPECT_TRUE(s.last.empty());
  s.reply_with(record_in_flight{s.summary(), milliseconds{30'000}});
  ASSERT_NE(s.submitted<claim>(), nullptr);
  s.reply_with(record_in_flight{s.summary(), milliseconds{30'000}});
  EXPECT_NE(s.find_action<action_join_waiters>(), nullptr);
}

TEST(exchange, those_who_wait_for_a_probe_that_found_nothing_are_woken_by_the_attempt_that_follows) {
  probing_script s;
  s.tell(event_probe_ended{probe_verdict::not_found}).reply_with(applied{});
  EXPECT_EQ(s.ended_probe(), nullptr);
  s.reply_with(claim_granted{fence{8}, 2, s.rules.lease});
  EXPECT_NE(s.find_action<action_leave_probe>(), nullptr);
  s.answered(201).reply_with(applied{});
  ASSERT_NE(s.woken(), nullptr);
  EXPECT_EQ(s.woken()->how, attempt_end::completed);
}

TEST(exchange, a_prober_that_another_attempt_overtakes_waits_for_it_with_the_others) {
  probing_script s;
  s.tell(event_probe_ended{probe_verdict::not_found}).reply_with(applied{});
  s.reply_with(record_in_flight{s.summary(), milliseconds{30'000}});
  EXPECT_NE(s.find_action<action_leave_probe>(), nullptr);
  EXPECT_EQ(s.ended_probe(), nullptr);
  EXPECT_TRUE(s.machine.is_waiting());
}

TEST(exchange, a_prober_whose_store_fails_sends_the_others_to_the_store) {
  probing_script s;
  s.tell(event_probe_ended{probe_found{bytes("found"), s.tombstone}});
  s.reply_with(store_failure{certainty::definite, errc::unavailable});
  EXPECT_EQ(s.refused()->type, problem_type::store_unavailable);
  ASSERT_NE(s.ended_probe(), nullptr);
  EXPECT_EQ(s.ended_probe()->how, attempt_end::look_again);
}

TEST(exchange, a_probe_that_is_under_way_outlives_its_client_and_is_recorded) {
  probing_script s;
  s.tell(event_client_gone{});
  EXPECT_TRUE(s.last.empty());
  s.tell(event_probe_ended{probe_found{bytes("found"), s.tombstone}});
  ASSERT_NE(s.submitted<complete>(), nullptr);
  s.reply_with(applied{}).reply_with(record_completed{s.summary(), bytes("found"), s.tombstone});
  EXPECT_EQ(s.find_action<action_respond>(), nullptr);
  EXPECT_EQ(s.ended_probe()->how, attempt_end::completed);
}

TEST(exchange, a_client_that_left_probes_no_further_and_runs_nothing) {
  probing_script running;
  running.tell(event_client_gone{}).tell(event_probe_ended{probe_verdict::still_running});
  EXPECT_TRUE(running.machine.finished());
  EXPECT_EQ(running.ended_probe()->how, attempt_end::look_again);

  probing_script pausing;
  pausing.tell(event_probe_ended{probe_verdict::still_running}).tell(event_client_gone{});
  EXPECT_TRUE(pausing.machine.finished());
  EXPECT_EQ(pausing.ended_probe()->how, attempt_end::look_again);

  probing_script nothing;
  nothing.tell(event_client_gone{}).tell(event_probe_ended{probe_verdict::not_found});
  ASSERT_NE(nothing.submitted<release>(), nullptr);
  nothing.reply_with(applied{});
  EXPECT_EQ(nothing.find_action<action_submit>(), nullptr);
  EXPECT_EQ(nothing.ended_probe()->how, attempt_end::look_again);
}

TEST(exchange, a_drain_ends_a_probe_and_those_who_wait_for_it) {
  probing_script prober;
  prober.tell(event_draining{});
  EXPECT_EQ(prober.refused()->type, problem_type::draining);
  EXPECT_EQ(prober.ended_probe()->how, attempt_end::unknown);
  behind_probe_script waiter;
  waiter.tell(event_draining{});
  EXPECT_EQ(waiter.refused()->type, problem_type::draining);
  EXPECT_EQ(waiter.refused()->state, operation_state::unknown);
}

TEST(exchange, a_probe_that_finds_the_result_records_it_for_the_attempt_that_owns_the_record) {
  probing_script s;
  ASSERT_NE(s.find_action<action_probe>(), nullptr);
  s.tell(event_probe_ended{probe_found{bytes("found"), s.tombstone}});
  ASSERT_NE(s.submitted<complete>(), nullptr);
  EXPECT_EQ(s.submitted<complete>()->attempt, attempt(9));
  s.reply_with(applied{});
  ASSERT_NE(s.submitted<find>(), nullptr);
  s.reply_with(record_completed{s.summary(), bytes("stored"), s.tombstone});
  ASSERT_NE(s.responded<respond_replay>(), nullptr);
  EXPECT_EQ(*s.responded<respond_replay>()->response, "stored");
}

TEST(exchange, a_probe_that_finds_nothing_frees_the_key_and_claims_it) {
  probing_script s;
  s.tell(event_probe_ended{probe_verdict::not_found});
  ASSERT_NE(s.submitted<release>(), nullptr);
  EXPECT_EQ(s.submitted<release>()->attempt, attempt(9));
  s.reply_with(applied{});
  ASSERT_NE(s.submitted<claim>(), nullptr);
  EXPECT_FALSE(s.submitted<claim>()->over_unknown);
}

TEST(exchange, every_claim_of_its_own_has_an_attempt_id_of_its_own) {
  script s;
  s.tell(event_started{});
  const attempt_id first = s.submitted<claim>()->attempt;
  s.reply_with(record_in_flight{s.summary(), milliseconds{30'000}});
  s.reply_with(record_released{s.summary()});
  EXPECT_NE(s.submitted<claim>()->attempt, first);
}

TEST(exchange, a_probe_of_a_running_operation_is_repeated_with_backoff_and_bounded) {
  probing_script s;
  milliseconds last_pause{0};
  int probes = 1;
  while (true) {
    s.tell(event_probe_ended{probe_verdict::still_running});
    if (s.machine.finished()) break;
    const auto pause = std::chrono::duration_cast<milliseconds>(s.find_action<action_set_deadline>()->when - s.now);
    EXPECT_GE(pause, last_pause);
    EXPECT_LE(pause, s.rules.probe.backoff_max);
    last_pause = pause;
    s.after(pause).tell(event_deadline{});
    ASSERT_NE(s.find_action<action_probe>(), nullptr);
    ASSERT_LT(++probes, 100);
  }
  EXPECT_GT(probes, 3);
  EXPECT_EQ(s.refused()->type, problem_type::outcome_unknown);
  EXPECT_TRUE(s.refused()->retryable);
}

TEST(exchange, a_probe_without_a_verdict_leaves_the_outcome_unknown) {
  probing_script s;
  s.tell(event_probe_ended{probe_verdict::no_verdict});
  EXPECT_EQ(s.refused()->type, problem_type::outcome_unknown);
  EXPECT_EQ(s.find_action<action_submit>(), nullptr);
}

// ---- The table -----------------------------------------------------------------------------------------------------

// Every state, reached by a script, with every event that may come in it: whatever the event, the machine survives,
// keeps the promise that an unfinished exchange has something to wait for, and never forwards without a fresh grant.
TEST(exchange, every_state_takes_every_event_that_can_come_late) {
  using setup = void (*)(script&);
  const setup states[] = {
      [](script& s) { s.tell(event_started{}); },
      [](script& s) { s.tell(event_started{}).reply_with(store_failure{certainty::indefinite, errc::timeout}); },
      [](script& s) { s.tell(event_started{}).reply_with(record_in_flight{s.summary(), milliseconds{9'000}}); },
      [](script& s) { s.waiting(); },
      [](script& s) { s.granted(); },
      [](script& s) { s.granted().answered(200); },
      [](script& s) { s.granted().answered(200).reply_with(store_failure{certainty::definite, errc::full}); },
      [](script& s) { s.tell(event_started{}).reply_with(record_unknown{s.summary()}); },
      [](script& s) { s.behind_a_probe(); },
      [](script& s) { s.tell(event_started{}).reply_with(record_unknown{s.summary()}).tell(event_probe_joined{true}); },
      [](script& s) { s.probing(); },
      [](script& s) { s.probing().tell(event_probe_ended{probe_verdict::still_running}); },
      [](script& s) { s.probing().tell(event_probe_ended{probe_verdict::not_found}); },
      [](script& s) { s.probing().tell(event_probe_ended{probe_verdict::not_found}).reply_with(applied{}); },
      [](script& s) { s.probing().tell(event_probe_ended{probe_found{bytes("r"), s.tombstone}}); },
  };
  const exchange_event late[] = {
      event_deadline{},
      event_client_gone{},
      event_draining{},
      event_wait_refused{},
      event_renewal_replied{applied{}},
      event_renewal_replied{fenced{}},
      event_renewal_replied{store_failure{certainty::indefinite, errc::timeout}},
      event_attempt_ended{{attempt_end::completed, fence{3}, bytes("print"), bytes("r"), write_tombstone({200, ""})}},
      event_attempt_ended{{attempt_end::released, fence{3}, bytes("print"), nullptr, nullptr}},
      event_attempt_ended{{attempt_end::unknown, fence{3}, bytes("other"), nullptr, nullptr}},
      event_attempt_ended{{attempt_end::look_again, fence{3}, bytes("print"), nullptr, nullptr}},
  };
  for (const setup& reach : states) {
    for (const exchange_event& event : late) {
      script s{rules_that_probe()};
      reach(s);
      ASSERT_FALSE(s.machine.finished());
      s.tell(event);
      EXPECT_EQ(s.find_action<action_forward>(), nullptr);
      const bool answered = s.find_action<action_respond>() != nullptr;
      EXPECT_TRUE(!answered || s.machine.finished());
      EXPECT_EQ(s.machine.finished(), s.find_action<action_finish>() != nullptr);
    }
  }
}

TEST(exchange_death, an_upstreams_answer_without_an_attempt_is_an_assertion) {
  script s;
  s.tell(event_started{});
  EXPECT_DEATH(s.answered(200), "not forwarded");
}

}  // namespace
}  // namespace onceward::core
