#include "stores/journal/commit_queue.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace onceward::journal {
namespace {

// Nobody waits for so long: a test in which take() did would not end.
constexpr std::chrono::hours patience{24};

bool push(commit_queue& to, int count) {
  bool owes_a_wake_up = false;
  for (int i = 0; i < count; ++i)
    owes_a_wake_up = to.push(answer{nullptr, 0, applied{}});
  return owes_a_wake_up;
}

std::size_t take(commit_queue& from) {
  commit_batch taken;
  EXPECT_TRUE(from.take(taken, patience));
  return taken.items.size();
}

TEST(commit_queue, takes_what_is_there_where_no_group_was_larger) {
  commit_queue queue;
  static_cast<void>(push(queue, 40));
  EXPECT_EQ(take(queue), 40u);
  static_cast<void>(push(queue, 40));
  EXPECT_EQ(take(queue), 40u);
  static_cast<void>(push(queue, 300));
  EXPECT_EQ(take(queue), 300u);
}

TEST(commit_queue, keeps_a_lone_command_waiting_for_nobody) {
  commit_queue queue;
  static_cast<void>(push(queue, 300));
  EXPECT_EQ(take(queue), 300u);
  static_cast<void>(push(queue, 1));
  EXPECT_EQ(take(queue), 1u);
  static_cast<void>(push(queue, 15));
  EXPECT_EQ(take(queue), 15u);
}

TEST(commit_queue, waits_for_as_many_as_the_largest_of_the_last_groups_had) {
  commit_queue queue;
  static_cast<void>(push(queue, 40));
  EXPECT_EQ(take(queue), 40u);
  static_cast<void>(push(queue, 20));
  std::thread others([&] {
    // Whoever comes last is told to wake the committer.
    for (int i = 0; i < 20; ++i) {
      if (push(queue, 1)) queue.wake();
    }
  });
  EXPECT_EQ(take(queue), 40u);
  others.join();
}

TEST(commit_queue, forgets_a_large_group_after_some_smaller_ones) {
  commit_queue queue;
  static_cast<void>(push(queue, 200));
  EXPECT_EQ(take(queue), 200u);
  for (int i = 0; i < 16; ++i) {
    static_cast<void>(push(queue, 1));
    EXPECT_EQ(take(queue), 1u);
  }
  static_cast<void>(push(queue, 100));
  EXPECT_EQ(take(queue), 100u);
}

TEST(commit_queue, waits_for_nobody_when_it_is_closed) {
  commit_queue queue;
  static_cast<void>(push(queue, 40));
  EXPECT_EQ(take(queue), 40u);
  static_cast<void>(push(queue, 20));
  queue.close();
  EXPECT_EQ(take(queue), 20u);
  commit_batch rest;
  EXPECT_FALSE(queue.take(rest, patience));
}

}  // namespace
}  // namespace onceward::journal
