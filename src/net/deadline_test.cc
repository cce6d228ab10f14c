#include "net/deadline.h"

#include <chrono>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace onceward::net {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

struct deadline_test : testing::Test {
  loop owner;
};

TEST_F(deadline_test, is_never_early) {
  const base::moment when = owner.now() + milliseconds(5);
  base::moment fired{};
  deadline one(owner, [&] {
    fired = owner.now();
    owner.stop();
  });
  one.arm(when);
  EXPECT_TRUE(one.armed());
  owner.run();
  EXPECT_GE(fired, when);
  EXPECT_FALSE(one.armed());
}

TEST_F(deadline_test, that_has_passed_is_due_at_the_next_turn_and_not_before) {
  bool fired = false;
  deadline one(owner, [&] {
    fired = true;
    owner.stop();
  });
  one.arm(owner.now() - milliseconds(5));
  EXPECT_FALSE(fired);
  owner.run();
  EXPECT_TRUE(fired);
}

TEST_F(deadline_test, is_due_once_at_the_last_moment_it_was_armed_with) {
  std::vector<int> order;
  const base::moment start = owner.now();
  deadline moved(owner, [&] { order.push_back(1); });
  deadline other(owner, [&] { order.push_back(2); });
  deadline last(owner, [&] { owner.stop(); });
  moved.arm(start + milliseconds(2));
  other.arm(start + milliseconds(6));
  last.arm(start + milliseconds(20));
  moved.arm(start + milliseconds(12));
  owner.run();
  EXPECT_EQ(order, (std::vector<int>{2, 1}));
}

TEST_F(deadline_test, is_not_called_after_it_was_cancelled_even_by_one_of_the_same_tick) {
  int calls = 0;
  std::unique_ptr<deadline> first;
  std::unique_ptr<deadline> second;
  first = std::make_unique<deadline>(owner, [&] {
    ++calls;
    second->cancel();
  });
  second = std::make_unique<deadline>(owner, [&] {
    ++calls;
    first->cancel();
  });
  deadline last(owner, [&] { owner.stop(); });
  const base::moment when = owner.now() + milliseconds(3);
  first->arm(when);
  second->arm(when);
  last.arm(when + milliseconds(4));
  owner.run();
  EXPECT_EQ(calls, 1);
}

TEST_F(deadline_test, may_destroy_itself_and_arm_others_when_it_is_due) {
  bool fired = false;
  auto one = std::make_unique<deadline>(owner, [] {});
  deadline last(owner, [&] {
    fired = true;
    owner.stop();
  });
  std::unique_ptr<deadline> self;
  self = std::make_unique<deadline>(owner, [&] {
    last.arm(owner.now());
    one.reset();
    self.reset();
  });
  const base::moment when = owner.now() + milliseconds(2);
  one->arm(when + milliseconds(50));
  self->arm(when);
  owner.run();
  EXPECT_TRUE(fired);
}

TEST_F(deadline_test, can_arm_itself_again) {
  int calls = 0;
  deadline one(owner, [&] {
    if (++calls == 5) return owner.stop();
    one.arm(owner.now() + milliseconds(1));
  });
  one.arm(owner.now());
  owner.run();
  EXPECT_EQ(calls, 5);
}

TEST_F(deadline_test, far_away_takes_no_part) {
  deadline never(owner, [] { ADD_FAILURE(); });
  never.arm(base::moment::max());
  deadline years(owner, [] { ADD_FAILURE(); });
  years.arm(owner.now() + std::chrono::hours(24 * 3650));
  deadline last(owner, [&] { owner.stop(); });
  last.arm(owner.now() + milliseconds(2));
  owner.run();
  EXPECT_TRUE(never.armed());
  EXPECT_TRUE(years.armed());
}

// Many deadlines over all the wheel's lower levels, moved and cancelled at random: each fires once, in time and in
// order of its tick, or not at all.
TEST_F(deadline_test, thousands_fire_in_order_whatever_was_moved_in_between) {
  std::mt19937 random(7);
  const base::moment start = owner.now();
  struct timed {
    base::moment when{};
    bool cancelled = false;
    int calls = 0;
    std::unique_ptr<deadline> timer;
  };
  std::vector<timed> all(4000);
  base::moment latest = start;
  for (timed& one : all) {
    one.timer = std::make_unique<deadline>(owner, [&] {
      ++one.calls;
      EXPECT_GE(owner.now(), one.when);
      EXPECT_GE(one.when + milliseconds(2), latest);
      latest = std::max(latest, one.when);
      timed& other = all[random() % all.size()];
      if (other.calls == 0 && random() % 4 == 0) {
        other.timer->cancel();
        other.cancelled = true;
      } else if (other.calls == 0 && !other.cancelled) {
        other.when = owner.now() + microseconds(random() % 50'000);
        other.timer->arm(other.when);
      }
    });
  }
  for (timed& one : all) {
    one.when = start + microseconds(random() % 150'000);
    one.timer->arm(one.when);
  }
  deadline last(owner, [&] { owner.stop(); });
  last.arm(start + milliseconds(600));
  owner.run();
  for (const timed& one : all)
    EXPECT_EQ(one.calls, one.cancelled ? 0 : 1);
}

}  // namespace
}  // namespace onceward::net
