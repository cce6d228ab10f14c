#include "core/record.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace onceward::core {
namespace {

using std::chrono::milliseconds;

constexpr wall_time start{milliseconds{1'000'000}};
constexpr milliseconds lease{30'000};
constexpr milliseconds retention{500'000};
constexpr fence next{8};

const record_key key{};

attempt_id attempt(char name) {
  attempt_id id;
  id.bytes.fill(static_cast<std::byte>(name));
  return id;
}
const attempt_id owner = attempt('o');
const attempt_id other = attempt('x');

shared_bytes bytes(const char* text) {
  return std::make_shared<const std::string>(text);
}

record record_in(record_state state) {
  return {.attempt = owner,
          .attempt_number = 3,
          .token = fence{7},
          .first_seen = start - milliseconds{900},
          .retention = retention,
          .fingerprint = bytes("fingerprint"),
          .state = std::move(state)};
}

record in_flight() {
  return record_in(state_in_flight{start + milliseconds{100}});
}
record completed() {
  return record_in(state_completed{.completed_at = start,
                                   .response_expires_at = start + milliseconds{200},
                                   .tombstone_expires_at = start + milliseconds{300},
                                   .response = bytes("response"),
                                   .tombstone = bytes("tombstone")});
}
record released() {
  return record_in(state_released{start});
}
record unknown() {
  return record_in(state_unknown{start});
}

claim claim_by(const attempt_id& who, std::optional<attempt_id> over = std::nullopt) {
  return {.key = key,
          .attempt = who,
          .lease = lease,
          .retention = retention,
          .fingerprint = bytes("new"),
          .over_unknown = over};
}

complete complete_by(const attempt_id& who) {
  return {key, who,
          outcome_completed{bytes("late response"), bytes("late tombstone"), milliseconds{50}, milliseconds{60}}};
}

// Brings the result that completed() holds.
complete complete_again_by(const attempt_id& who) {
  return {key, who, outcome_completed{bytes("response"), bytes("tombstone"), milliseconds{1}, milliseconds{1}}};
}

complete unknown_by(const attempt_id& who) {
  return {key, who, outcome_unknown{milliseconds{70}}};
}

// ---- The table: every command in every state
// -------------------------------------------------------------------------

// A reply by its kind; a decision by the reply's kind and the state that it leaves, "-" if it changes nothing.
struct outcome {
  std::string answer;
  std::string after;
  friend bool operator==(const outcome&, const outcome&) = default;
  friend void PrintTo(const outcome& value, std::ostream* out) { *out << value.answer << " → " << value.after; }
};

std::string state_name(const record_state& state) {
  static constexpr std::array names{"in flight", "completed", "released", "unknown"};
  static_assert(names.size() == std::variant_size_v<record_state>);
  return names[state.index()];
}

std::string answer_name(const reply& answer) {
  static constexpr std::array names{"granted", "in flight", "completed", "unknown", "released", "absent",
                                    "applied", "fenced",    "listed",    "purged",  "failure"};
  static_assert(names.size() == std::variant_size_v<reply>);
  return names[answer.index()];
}

outcome outcome_of(const decision& decided) {
  return {answer_name(decided.answer), decided.after ? state_name(decided.after->state) : "-"};
}

struct command_row {
  const char* name;
  std::function<decision(const record* before)> decide_it;
  std::array<outcome, 5> expected;  // absent, in flight, completed, released, unknown
};

const std::array<const char*, 5> state_names{"absent", "in flight", "completed", "released", "unknown"};

std::array<std::optional<record>, 5> records() {
  return {std::nullopt, in_flight(), completed(), released(), unknown()};
}

template <typename Command>
std::function<decision(const record*)> deciding(Command what) {
  return [what](const record* before) { return decide(before, what, start); };
}

std::function<decision(const record*)> claiming(claim what) {
  return [what](const record* before) { return decide(before, what, start, next); };
}

const outcome grants{"granted", "in flight"};
const outcome is_fenced{"fenced", "-"};
const std::array<outcome, 5> fenced_everywhere{is_fenced, is_fenced, is_fenced, is_fenced, is_fenced};

// clang-format off
std::vector<command_row> rows() {
  return {
      {"the owner's claim", claiming(claim_by(owner)),
       {grants, {"granted", "-"}, {"completed", "-"}, is_fenced, {"unknown", "-"}}},
      {"another's claim", claiming(claim_by(other)),
       {grants, {"in flight", "-"}, {"completed", "-"}, grants, {"unknown", "-"}}},
      {"another's claim over the owner's unknown outcome", claiming(claim_by(other, owner)),
       {grants, {"in flight", "-"}, {"completed", "-"}, grants, grants}},
      {"another's claim over a third one's unknown outcome", claiming(claim_by(other, attempt('3'))),
       {grants, {"in flight", "-"}, {"completed", "-"}, grants, {"unknown", "-"}}},
      {"the owner's claim over its own unknown outcome", claiming(claim_by(owner, owner)),
       {grants, {"granted", "-"}, {"completed", "-"}, is_fenced, {"unknown", "-"}}},
      {"the owner's renewal", deciding(renew{key, owner, lease}),
       {is_fenced, {"applied", "in flight"}, is_fenced, is_fenced, {"unknown", "-"}}},
      {"another's renewal", deciding(renew{key, other, lease}), fenced_everywhere},
      {"the owner's completion", deciding(complete_by(owner)),
       {is_fenced, {"applied", "completed"}, {"completed", "-"}, is_fenced, {"applied", "completed"}}},
      {"the owner's completion with the result that stands", deciding(complete_again_by(owner)),
       {is_fenced, {"applied", "completed"}, {"applied", "-"}, is_fenced, {"applied", "completed"}}},
      {"another's completion", deciding(complete_by(other)), fenced_everywhere},
      {"the owner's unknown outcome", deciding(unknown_by(owner)),
       {is_fenced, {"applied", "unknown"}, {"completed", "-"}, is_fenced, {"applied", "-"}}},
      {"another's unknown outcome", deciding(unknown_by(other)), fenced_everywhere},
      {"the owner's release", deciding(release{key, owner}),
       {is_fenced, {"applied", "released"}, is_fenced, {"applied", "-"}, {"applied", "released"}}},
      {"another's release", deciding(release{key, other}), fenced_everywhere},
  };
}
// clang-format on

TEST(record, meets_every_command_in_every_state_as_the_table_says) {
  for (const command_row& row : rows()) {
    const auto befores = records();
    for (std::size_t i = 0; i < befores.size(); ++i) {
      SCOPED_TRACE(std::string(row.name) + ", " + state_names[i]);
      const record* before = befores[i] ? &*befores[i] : nullptr;
      EXPECT_EQ(outcome_of(row.decide_it(before)), row.expected[i]);
    }
  }
}

TEST(record, gives_a_command_that_comes_again_the_same_answer_and_does_not_change) {
  for (const command_row& row : rows()) {
    const auto befores = records();
    for (std::size_t i = 0; i < befores.size(); ++i) {
      SCOPED_TRACE(std::string(row.name) + ", " + state_names[i]);
      const decision first = row.decide_it(befores[i] ? &*befores[i] : nullptr);
      if (!first.after) continue;
      const decision second = row.decide_it(&*first.after);
      EXPECT_EQ(answer_name(second.answer), answer_name(first.answer));
      if (!second.after) continue;
      // A renewal sets the same end again; nothing else may change a record twice.
      ASSERT_TRUE(std::holds_alternative<state_in_flight>(second.after->state));
      EXPECT_EQ(std::get<state_in_flight>(second.after->state).lease_end,
                std::get<state_in_flight>(first.after->state).lease_end);
    }
  }
}

TEST(record, changes_nothing_but_the_state_when_its_attempt_ends) {
  for (const record& before : {in_flight(), unknown()}) {
    for (const decision& decided :
         {decide(&before, complete_by(owner), start), decide(&before, release{key, owner}, start)}) {
      ASSERT_TRUE(decided.after);
      EXPECT_EQ(decided.after->attempt, before.attempt);
      EXPECT_EQ(decided.after->attempt_number, before.attempt_number);
      EXPECT_EQ(decided.after->token, before.token);
      EXPECT_EQ(decided.after->first_seen, before.first_seen);
      EXPECT_EQ(decided.after->retention, before.retention);
      EXPECT_EQ(decided.after->fingerprint, before.fingerprint);
    }
  }
}

// ---- Grants
// ----------------------------------------------------------------------------------------------------------

TEST(record, begins_with_the_first_grant_of_its_key) {
  const decision decided = decide(nullptr, claim_by(other), start, next);
  const auto& granted = std::get<claim_granted>(decided.answer);
  EXPECT_EQ(granted.token, next);
  EXPECT_EQ(granted.attempt_number, 1u);
  EXPECT_EQ(granted.lease_left, lease);
  ASSERT_TRUE(decided.after);
  EXPECT_EQ(decided.after->attempt, other);
  EXPECT_EQ(decided.after->token, next);
  EXPECT_EQ(decided.after->first_seen, start);
  EXPECT_EQ(decided.after->retention, retention);
  EXPECT_EQ(*decided.after->fingerprint, "new");
  EXPECT_EQ(std::get<state_in_flight>(decided.after->state).lease_end, start + lease);
}

TEST(record, counts_attempts_and_keeps_when_it_was_first_seen) {
  for (const record& before : {released(), unknown()}) {
    const decision decided = decide(&before, claim_by(other, owner), start, next);
    const auto& granted = std::get<claim_granted>(decided.answer);
    EXPECT_EQ(granted.token, next);
    EXPECT_EQ(granted.attempt_number, before.attempt_number + 1);
    ASSERT_TRUE(decided.after);
    EXPECT_EQ(decided.after->attempt, other);
    EXPECT_EQ(decided.after->first_seen, before.first_seen);
    EXPECT_EQ(*decided.after->fingerprint, "new");
  }
}

TEST(record, repeats_a_grant_with_its_fence_and_the_lease_that_is_left) {
  const record before = in_flight();
  const decision decided = decide(&before, claim_by(owner), start + milliseconds{40}, next);
  const auto& granted = std::get<claim_granted>(decided.answer);
  EXPECT_EQ(granted.token, before.token);
  EXPECT_EQ(granted.attempt_number, before.attempt_number);
  EXPECT_EQ(granted.lease_left, milliseconds{60});
}

TEST(record, extends_its_lease_from_now_and_never_shortens_it) {
  const record before = in_flight();
  const auto lease_end_after = [&](milliseconds wanted) {
    return std::get<state_in_flight>(decide(&before, renew{key, owner, wanted}, start).after->state).lease_end;
  };
  EXPECT_EQ(lease_end_after(lease), start + lease);
  EXPECT_EQ(lease_end_after(milliseconds{1}), start + milliseconds{100});
}

// ---- Outcomes
// --------------------------------------------------------------------------------------------------------

TEST(record, keeps_the_outcome_and_counts_its_retention_from_the_completion) {
  const record before = in_flight();
  const auto after = decide(&before, complete_by(owner), start).after;
  ASSERT_TRUE(after);
  const auto& done = std::get<state_completed>(after->state);
  EXPECT_EQ(done.completed_at, start);
  EXPECT_EQ(done.response_expires_at, start + milliseconds{50});
  EXPECT_EQ(done.tombstone_expires_at, start + milliseconds{60});
  EXPECT_EQ(*done.response, "late response");
  EXPECT_EQ(*done.tombstone, "late tombstone");
}

TEST(record, tells_a_completion_with_another_result_which_one_stands) {
  const record before = completed();
  const auto stands = std::get<record_completed>(decide(&before, complete_by(owner), start).answer);
  EXPECT_EQ(*stands.response, "response");
  EXPECT_EQ(*stands.tombstone, "tombstone");
}

TEST(record, takes_a_completion_for_a_repetition_once_the_response_has_expired) {
  const auto before = as_of(completed(), start + milliseconds{200});
  EXPECT_TRUE(
      std::holds_alternative<applied>(decide(&*before, complete_again_by(owner), start + milliseconds{200}).answer));
}

TEST(record, keeps_the_tombstone_no_shorter_than_the_response) {
  const record before = in_flight();
  complete what = complete_by(owner);
  std::get<outcome_completed>(what.outcome).retention_tombstone = milliseconds{1};
  const auto after = decide(&before, what, start).after;
  ASSERT_TRUE(after);
  EXPECT_EQ(std::get<state_completed>(after->state).tombstone_expires_at, start + milliseconds{50});
}

TEST(record, takes_the_retention_that_comes_with_an_unknown_outcome) {
  const record before = in_flight();
  const auto after = decide(&before, unknown_by(owner), start).after;
  ASSERT_TRUE(after);
  EXPECT_EQ(std::get<state_unknown>(after->state).since, start);
  EXPECT_EQ(expiry(*after), start + milliseconds{70});
}

// ---- Time
// ------------------------------------------------------------------------------------------------------------

TEST(record, becomes_unknown_at_the_end_of_its_lease) {
  EXPECT_TRUE(std::holds_alternative<state_in_flight>(as_of(in_flight(), start + milliseconds{99})->state));
  const auto after = as_of(in_flight(), start + milliseconds{100});
  ASSERT_TRUE(after && std::holds_alternative<state_unknown>(after->state));
  EXPECT_EQ(std::get<state_unknown>(after->state).since, start + milliseconds{100});
}

TEST(record, expires_at_the_end_of_its_retention_and_not_before) {
  const auto expect_end = [](const record& kept, wall_time end) {
    EXPECT_TRUE(as_of(kept, end - milliseconds{1}));
    EXPECT_FALSE(as_of(kept, end));
  };
  expect_end(in_flight(), start + milliseconds{100} + retention);
  expect_end(completed(), start + milliseconds{300});
  expect_end(released(), start + retention);
  expect_end(unknown(), start + retention);
}

TEST(record, loses_its_response_before_its_tombstone) {
  const auto response_at = [](wall_time now) {
    return std::get<state_completed>(as_of(completed(), now)->state).response;
  };
  EXPECT_NE(response_at(start + milliseconds{199}), nullptr);
  EXPECT_EQ(response_at(start + milliseconds{200}), nullptr);
  EXPECT_NE(std::get<state_completed>(as_of(completed(), start + milliseconds{299})->state).tombstone, nullptr);
}

// What a store that looks only then would miss: nothing.
TEST(record, stays_as_it_is_until_the_time_that_it_names) {
  record without_response = completed();
  std::get<state_completed>(without_response.state).response = nullptr;
  for (const record& kept : {in_flight(), completed(), without_response, released(), unknown()}) {
    const wall_time change = changes_at(kept);
    const auto before = as_of(kept, change - milliseconds{1});
    ASSERT_TRUE(before);
    EXPECT_EQ(describe(*before, start).index(), describe(kept, start).index());
    EXPECT_EQ(changes_at(*before), change);
    const auto after = as_of(kept, change);
    EXPECT_TRUE(!after || changes_at(*after) > change);
  }
}

TEST(record, cannot_expire_while_in_flight) {
  EXPECT_EQ(expiry(in_flight()), std::nullopt);
  EXPECT_EQ(expiry(completed()), start + milliseconds{300});
  EXPECT_EQ(expiry(released()), start + retention);
  EXPECT_EQ(expiry(unknown()), start + retention);
}

TEST(record, becomes_unknown_from_now_on_when_the_only_process_that_could_hold_it_is_gone) {
  const auto since = [](wall_time now) { return std::get<state_unknown>(abandoned(in_flight(), now).state).since; };
  EXPECT_EQ(since(start), start);
  // The lease may have been renewed without the store having kept it: retention is counted from what is known.
  EXPECT_EQ(since(start + lease), start + lease);
  for (const record& ended : {completed(), released(), unknown()}) {
    EXPECT_EQ(abandoned(ended, start + lease).state.index(), ended.state.index());
  }
}

// ---- What is told
// ----------------------------------------------------------------------------------------------------

TEST(record, is_told_with_the_time_its_attempt_ended_and_the_time_it_expires) {
  const auto expect_times = [](const record& kept, wall_time ended_at, wall_time expires_at) {
    const record_summary summary = summarise(kept);
    EXPECT_EQ(summary.ended_at, ended_at);
    EXPECT_EQ(summary.expires_at, expires_at);
    EXPECT_EQ(summary.attempt, owner);
    EXPECT_EQ(summary.attempt_number, 3u);
    EXPECT_EQ(summary.token, fence{7});
    EXPECT_EQ(summary.first_seen, start - milliseconds{900});
    EXPECT_EQ(*summary.fingerprint, "fingerprint");
  };
  expect_times(in_flight(), start + milliseconds{100}, start + milliseconds{100} + retention);
  expect_times(completed(), start, start + milliseconds{300});
  expect_times(released(), start, start + retention);
  expect_times(unknown(), start, start + retention);
}

TEST(record, is_told_by_its_state) {
  EXPECT_EQ(std::get<record_in_flight>(describe(in_flight(), start)).lease_left, milliseconds{100});
  const auto done = std::get<record_completed>(describe(completed(), start));
  EXPECT_EQ(*done.response, "response");
  EXPECT_EQ(*done.tombstone, "tombstone");
  EXPECT_EQ(answer_name(describe(released(), start)), "released");
  EXPECT_EQ(answer_name(describe(unknown(), start)), "unknown");
}

}  // namespace
}  // namespace onceward::core
