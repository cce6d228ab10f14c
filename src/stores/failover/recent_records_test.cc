#include "stores/failover/recent_records.h"

#include <gtest/gtest.h>

#include "tests/conformance/sample_commands.h"

namespace onceward::failover {
namespace {

using namespace std::chrono_literals;
using conformance::attempt_of;
using conformance::key_of;

class recent : public testing::Test {
 protected:
  void granted(std::uint64_t key, std::uint32_t number = 1) {
    all.learn(conformance::claim_of(key, key), claim_granted{fence{key}, number, conformance::lease}, now);
  }
  void completed(std::uint64_t key) { all.learn(conformance::completed_of(key, key), applied{}, now); }

  recent_records all{10s, 5};
  base::moment now{};
};

TEST_F(recent, grants_and_outcomes_are_remembered) {
  granted(1, 3);
  granted(2);
  completed(2);
  all.learn(conformance::unknown_of(3, 3), applied{}, now);
  const auto taken = all.take_all(now);
  ASSERT_EQ(taken.size(), 3u);
  EXPECT_EQ(taken[0].key, key_of(1));
  EXPECT_EQ(taken[0].attempt, attempt_of(1));
  EXPECT_EQ(taken[0].attempt_number, 3u);
  EXPECT_EQ(taken[0].acknowledged, recent_record::state::in_flight);
  EXPECT_EQ(taken[1].acknowledged, recent_record::state::completed);
  EXPECT_NE(taken[1].fingerprint, nullptr);
  EXPECT_EQ(taken[2].acknowledged, recent_record::state::unknown);
  EXPECT_EQ(taken[2].fingerprint, nullptr) << "its grant was not seen";
  EXPECT_EQ(all.size(), 0u);
}

TEST_F(recent, what_was_released_fenced_or_refused_is_not) {
  granted(1);
  all.learn(conformance::release_of(1, 1), applied{}, now);
  granted(2);
  all.learn(conformance::completed_of(2, 2), fenced{}, now);
  all.learn(conformance::claim_of(3, 3), store_failure{certainty::indefinite, errc::timeout}, now);
  all.learn(conformance::completed_of(4, 4), store_failure{certainty::indefinite, errc::timeout}, now);
  EXPECT_EQ(all.size(), 0u);
}

TEST_F(recent, what_is_older_than_the_window_makes_way_unless_its_attempt_runs) {
  granted(1);
  completed(1);
  granted(2);
  now += 10s;
  granted(3);
  EXPECT_EQ(all.size(), 3u);
  now += 1ms;
  granted(4);
  EXPECT_EQ(all.size(), 3u) << "2 is in flight";
  now += conformance::lease + 10s;
  for (const std::uint64_t key : {5u, 6u})
    granted(key);
  EXPECT_EQ(all.size(), 2u);
}

TEST_F(recent, nothing_grows_old_while_nothing_is_acknowledged) {
  granted(1);
  completed(1);
  now += 1h;
  EXPECT_EQ(all.take_all(now).size(), 1u);
}

TEST_F(recent, what_has_expired_may_be_gone) {
  granted(1);
  completed(1);
  EXPECT_EQ(all.take_all(now + conformance::retention).size(), 0u);
}

TEST_F(recent, the_oldest_make_way_beyond_the_number) {
  for (std::uint64_t key = 1; key <= 9; ++key)
    granted(key);
  const auto taken = all.take_all(now);
  ASSERT_EQ(taken.size(), 5u);
  EXPECT_EQ(taken.front().key, key_of(5));
}

}  // namespace
}  // namespace onceward::failover
