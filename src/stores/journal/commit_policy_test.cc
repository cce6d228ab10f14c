#include "stores/journal/commit_policy.h"

#include <gtest/gtest.h>

namespace onceward::journal {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr microseconds slow = 3 * commit_policy::quick;
constexpr bool crowded = true;

class policy_that_pays : public testing::Test {
 protected:
  void note(int times, std::chrono::nanoseconds took, bool is_crowded = false) {
    for (int i = 0; i < times; ++i)
      policy_.note(took, is_crowded);
  }
  // How many quick groups it takes until an idle thread commits.
  int groups_until_allowed() {
    for (int i = 0; i < 1'000; ++i) {
      if (policy_.idle_thread_commits()) return i;
      note(1, microseconds(100));
    }
    return 1'000;
  }

  commit_policy policy_{idle_commits::where_it_pays};
};

TEST_F(policy_that_pays, leaves_it_to_the_committer_until_the_disk_is_known) {
  EXPECT_FALSE(policy_.idle_thread_commits());
  note(1, microseconds(100));
  EXPECT_FALSE(policy_.idle_thread_commits());
  EXPECT_LT(groups_until_allowed(), 100);
}

TEST_F(policy_that_pays, never_lets_anybody_wait_for_a_slow_disk) {
  for (int i = 0; i < 1'000; ++i) {
    note(1, slow);
    ASSERT_FALSE(policy_.idle_thread_commits());
  }
}

TEST_F(policy_that_pays, forgives_a_sync_that_took_a_little_longer) {
  note(200, microseconds(100));
  note(1, slow);
  EXPECT_TRUE(policy_.idle_thread_commits());
}

TEST_F(policy_that_pays, stops_at_once_when_a_sync_takes_very_long_and_for_a_while) {
  note(200, microseconds(100));
  note(1, milliseconds(100));
  EXPECT_FALSE(policy_.idle_thread_commits());
  EXPECT_GT(groups_until_allowed(), 30);
}

TEST_F(policy_that_pays, comes_back_after_the_longest_sync) {
  note(200, microseconds(100));
  note(10, seconds(100));
  EXPECT_LT(groups_until_allowed(), 500);
}

TEST_F(policy_that_pays, leaves_it_to_the_committer_while_threads_are_in_each_others_way) {
  note(200, microseconds(100));
  note(200, microseconds(100), crowded);
  EXPECT_FALSE(policy_.idle_thread_commits());
  EXPECT_LT(groups_until_allowed(), 100);
}

TEST_F(policy_that_pays, minds_no_thread_that_comes_between_now_and_then) {
  note(200, microseconds(100));
  for (int i = 0; i < 100; ++i) {
    note(3, microseconds(100));
    note(1, microseconds(100), crowded);
    ASSERT_TRUE(policy_.idle_thread_commits());
  }
}

TEST(policy_of_always, minds_nothing) {
  commit_policy policy(idle_commits::always);
  policy.note(seconds(1), crowded);
  EXPECT_TRUE(policy.idle_thread_commits());
}

TEST(policy_of_never, is_not_persuaded) {
  commit_policy policy(idle_commits::never);
  for (int i = 0; i < 1'000; ++i)
    policy.note(microseconds(1), false);
  EXPECT_FALSE(policy.idle_thread_commits());
}

}  // namespace
}  // namespace onceward::journal
