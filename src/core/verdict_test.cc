#include "core/verdict.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace onceward::core {
namespace {

using namespace std::chrono_literals;

constexpr attempt_id own{{std::byte{1}}};
constexpr attempt_id other{{std::byte{2}}};
constexpr wall_time now{1'000'000ms};

shared_bytes blob(const char* text) {
  return std::make_shared<const std::string>(text);
}

found_record found(record_state state, bool changed, attempt_id attempt = own) {
  return {changed, now,
          record{.attempt = attempt,
                 .attempt_number = 2,
                 .token = fence{9},
                 .first_seen = now - 5s,
                 .retention = 1h,
                 .fingerprint = blob("fingerprint"),
                 .state = std::move(state)}};
}

claim claim_by(attempt_id attempt) {
  return {.key = {}, .attempt = attempt, .lease = 30s, .retention = 1h, .fingerprint = blob("fingerprint")};
}

complete completion() {
  return {{}, own, outcome_completed{blob("response"), blob("tombstone"), 1h, 1h}};
}

template <typename Reply>
bool says(const std::optional<reply>& answer) {
  return answer && std::holds_alternative<Reply>(*answer);
}

TEST(verdict, grants_what_the_statement_claimed) {
  const auto answer = answer_to(claim_by(own), found(state_in_flight{now + 30s}, true));
  ASSERT_TRUE(says<claim_granted>(answer));
  const auto& granted = std::get<claim_granted>(*answer);
  EXPECT_EQ(granted.token, fence{9});
  EXPECT_EQ(granted.attempt_number, 2u);
  EXPECT_EQ(granted.lease_left, 30s);
}

TEST(verdict, describes_what_the_statement_left_as_it_was) {
  EXPECT_TRUE(says<record_in_flight>(answer_to(claim_by(other), found(state_in_flight{now + 1s}, false))));
  EXPECT_TRUE(says<record_unknown>(answer_to(claim_by(other), found(state_in_flight{now}, false))));
  EXPECT_TRUE(says<fenced>(answer_to(completion(), found(state_released{now}, false))));
  EXPECT_TRUE(says<fenced>(answer_to(completion(), std::nullopt)));
  EXPECT_TRUE(says<record_absent>(answer_to(find{}, std::nullopt)));
  EXPECT_TRUE(says<record_absent>(answer_to(find{}, found(state_released{now - 1h}, false))));
}

TEST(verdict, has_no_answer_where_the_rules_would_have_changed_what_was_found) {
  // A claim that met another's, made after its snapshot; and one that lost a released key.
  EXPECT_FALSE(answer_to(claim_by(own), std::nullopt));
  EXPECT_FALSE(answer_to(claim_by(own), found(state_released{now}, false, other)));
  // An outcome that met another outcome.
  EXPECT_FALSE(answer_to(completion(), found(state_in_flight{now + 1s}, false)));
  EXPECT_FALSE(answer_to(release{{}, own}, found(state_unknown{now}, false)));
  EXPECT_FALSE(answer_to(renew{{}, own, 30s}, found(state_in_flight{now + 1s}, false)));
}

TEST(verdict, tells_others_of_outcomes_only) {
  EXPECT_TRUE(ends_attempt(completion(), applied{}));
  EXPECT_TRUE(ends_attempt(release{}, applied{}));
  EXPECT_FALSE(ends_attempt(renew{}, applied{}));
  EXPECT_FALSE(ends_attempt(completion(), fenced{}));
}

}  // namespace
}  // namespace onceward::core
