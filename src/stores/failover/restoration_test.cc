#include "stores/failover/restoration.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/conformance/sample_commands.h"

namespace onceward::failover {
namespace {

using namespace std::chrono_literals;
using conformance::attempt_of;
using verdict = restoration::verdict;

// Of key 1 and attempt 1, which has number 2.
restoration of(recent_record::state acknowledged) {
  return restoration({.key = conformance::key_of(1),
                      .attempt = attempt_of(1),
                      .attempt_number = 2,
                      .fingerprint = conformance::bytes("fingerprint"),
                      .lease = 30s,
                      .retention = 1h,
                      .acknowledged = acknowledged,
                      .at = {},
                      .expires = base::moment{1h}});
}

record_summary by(std::uint64_t attempt, std::uint32_t number) {
  return {.attempt = attempt_of(attempt),
          .attempt_number = number,
          .token = fence{9},
          .first_seen = {},
          .ended_at = {},
          .expires_at = {},
          .fingerprint = conformance::bytes("fingerprint")};
}

TEST(restoration, of_what_is_there_writes_nothing) {
  for (const auto acknowledged : {recent_record::state::in_flight, recent_record::state::completed}) {
    auto machine = of(acknowledged);
    EXPECT_TRUE(std::holds_alternative<find>(machine.next()));
    EXPECT_EQ(machine.take(record_completed{by(1, 2), nullptr, conformance::bytes("t")}, {}), verdict::done);
    EXPECT_FALSE(machine.was_lost());
    EXPECT_NE(machine.remains(), nullptr);
  }
  auto running = of(recent_record::state::in_flight);
  EXPECT_EQ(running.take(record_in_flight{by(1, 2), 1s}, {}), verdict::done);
  EXPECT_FALSE(running.was_lost());
}

TEST(restoration, of_a_lost_grant_claims_for_the_same_attempt) {
  auto machine = of(recent_record::state::in_flight);
  EXPECT_EQ(machine.take(record_absent{}, {}), verdict::goes_on);
  const auto again = std::get<claim>(machine.next());
  EXPECT_EQ(again.attempt, attempt_of(1));
  EXPECT_EQ(again.lease, 30s);
  EXPECT_EQ(machine.take(claim_granted{fence{1}, 1, 30s}, {}), verdict::done);
  EXPECT_TRUE(machine.was_lost());
  EXPECT_EQ(machine.remains()->acknowledged, recent_record::state::in_flight);
}

TEST(restoration, of_a_lost_record_with_an_outcome_leaves_it_unknown) {
  auto machine = of(recent_record::state::completed);
  machine.take(record_released{by(3, 1)}, {});
  EXPECT_EQ(machine.take(claim_granted{fence{1}, 2, 30s}, {}), verdict::goes_on);
  const auto end = std::get<complete>(machine.next());
  EXPECT_EQ(end.attempt, attempt_of(1));
  EXPECT_EQ(std::get<outcome_unknown>(end.outcome).retention, 1h);
  EXPECT_EQ(machine.take(applied{}, {}), verdict::done);
  EXPECT_TRUE(machine.was_lost());
  EXPECT_EQ(machine.remains()->acknowledged, recent_record::state::unknown);
}

TEST(restoration, of_a_lost_outcome_leaves_it_unknown) {
  auto machine = of(recent_record::state::completed);
  EXPECT_EQ(machine.take(record_in_flight{by(1, 2), 1s}, {}), verdict::goes_on);
  EXPECT_TRUE(std::holds_alternative<complete>(machine.next()));
  EXPECT_TRUE(machine.was_lost());
  auto ran_out = of(recent_record::state::completed);
  EXPECT_EQ(ran_out.take(record_unknown{by(1, 2)}, {}), verdict::done);
  EXPECT_TRUE(ran_out.was_lost());
}

TEST(restoration, lets_later_attempts_stand) {
  auto machine = of(recent_record::state::completed);
  EXPECT_EQ(machine.take(record_in_flight{by(4, 3), 1s}, {}), verdict::done);
  EXPECT_FALSE(machine.was_lost());
  EXPECT_EQ(machine.remains(), nullptr);
}

TEST(restoration, ends_a_claim_of_this_process_that_was_granted_too_early) {
  const std::array held{attempt_of(4)};
  auto machine = of(recent_record::state::completed);
  EXPECT_EQ(machine.take(record_in_flight{by(4, 1), 1s}, held), verdict::goes_on);
  EXPECT_EQ(std::get<complete>(machine.next()).attempt, attempt_of(4));
  EXPECT_TRUE(machine.was_lost());
  // Somebody else's is running already.
  auto late = of(recent_record::state::completed);
  EXPECT_EQ(late.take(record_in_flight{by(4, 1), 1s}, {}), verdict::done);
  EXPECT_TRUE(late.was_lost());
}

TEST(restoration, begins_again_where_the_store_did_not_say) {
  const store_failure failure{certainty::indefinite, errc::timeout};
  auto machine = of(recent_record::state::completed);
  machine.take(record_absent{}, {});
  EXPECT_EQ(machine.take(failure, {}), verdict::failed);
  EXPECT_TRUE(std::holds_alternative<find>(machine.next()));
  // The claim had been granted.
  EXPECT_EQ(machine.take(record_in_flight{by(1, 1), 1s}, {}), verdict::goes_on);
  EXPECT_EQ(machine.take(applied{}, {}), verdict::done);
  EXPECT_TRUE(machine.was_lost());
}

TEST(restoration, without_a_grant_that_was_seen_only_counts) {
  auto forgotten = restoration({.key = conformance::key_of(1),
                                .attempt = attempt_of(1),
                                .attempt_number = 0,
                                .fingerprint = nullptr,
                                .lease = 0s,
                                .retention = 1h,
                                .acknowledged = recent_record::state::completed,
                                .at = {},
                                .expires = base::moment{1h}});
  EXPECT_EQ(forgotten.take(record_absent{}, {}), verdict::done);
  EXPECT_TRUE(forgotten.was_lost());
}

}  // namespace
}  // namespace onceward::failover
