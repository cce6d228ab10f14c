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

void expect_taken_at_once(commit_queue& queue, int count) {
  static_cast<void>(push(queue, count));
  EXPECT_EQ(take(queue), static_cast<std::size_t>(count));
}

TEST(commit_queue, takes_what_is_there_where_no_group_was_larger) {
  commit_queue queue;
  expect_taken_at_once(queue, 40);
  expect_taken_at_once(queue, 40);
  expect_taken_at_once(queue, 300);
}

TEST(commit_queue, keeps_a_lone_command_waiting_for_nobody) {
  commit_queue queue;
  expect_taken_at_once(queue, 300);
  expect_taken_at_once(queue, 1);
  expect_taken_at_once(queue, 15);
}

TEST(commit_queue, waits_for_as_many_as_the_largest_of_the_last_groups_had) {
  commit_queue queue;
  expect_taken_at_once(queue, 40);
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
  expect_taken_at_once(queue, 200);
  for (int i = 0; i < 16; ++i)
    expect_taken_at_once(queue, 1);
  expect_taken_at_once(queue, 100);
}

TEST(commit_queue, waits_for_nobody_when_it_is_closed) {
  commit_queue queue;
  expect_taken_at_once(queue, 40);
  static_cast<void>(push(queue, 20));
  queue.close();
  EXPECT_EQ(take(queue), 20u);
  commit_batch rest;
  EXPECT_FALSE(queue.take(rest, patience));
}

}  // namespace
}  // namespace onceward::journal
