#include "stores/journal/commit_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace onceward::journal {
namespace {

bool push(commit_queue& to, int count = 1) {
  bool owes_a_wake_up = false;
  for (int i = 0; i < count; ++i)
    owes_a_wake_up = to.push(answer{nullptr, 0, applied{}});
  return owes_a_wake_up;
}

// As one who flushes and does not commit by itself.
void flush(commit_queue& queue) {
  if (queue.is_unwanted()) queue.wake();
}

// As the committer's thread.
bool wait_and_take(commit_queue& from, commit_batch& taken) {
  while (from.wait()) {
    if (from.take(taken)) return true;
  }
  return false;
}

std::size_t take(commit_queue& from) {
  commit_batch taken;
  EXPECT_TRUE(wait_and_take(from, taken));
  return taken.size();
}

TEST(commit_queue, gives_a_lone_command_as_soon_as_it_is_wanted) {
  commit_queue queue;
  EXPECT_TRUE(push(queue));
  flush(queue);
  EXPECT_EQ(take(queue), 1u);
}

TEST(commit_queue, keeps_what_is_gathered_until_it_is_wanted) {
  commit_queue queue;
  commit_batch taken;
  std::atomic<bool> pushed_all = false;
  std::thread committer([&] {
    EXPECT_TRUE(wait_and_take(queue, taken));
    EXPECT_TRUE(pushed_all);
  });
  for (int i = 0; i < 40; ++i) {
    EXPECT_TRUE(push(queue));
    std::this_thread::yield();
  }
  pushed_all = true;
  flush(queue);
  committer.join();
  EXPECT_EQ(taken.size(), 40u);
}

TEST(commit_queue, adds_to_a_group_that_is_wanted_what_comes_before_it_is_taken) {
  commit_queue queue;
  EXPECT_TRUE(push(queue));
  queue.wake();
  EXPECT_FALSE(push(queue)) << "somebody has seen to it";
  EXPECT_EQ(take(queue), 2u);
}

TEST(commit_queue, is_not_confused_by_a_wake_up_that_comes_too_late) {
  commit_queue queue;
  EXPECT_TRUE(push(queue));
  commit_batch taken;
  EXPECT_TRUE(queue.take(taken));
  queue.wake();
  std::thread other([&] {
    if (push(queue)) queue.wake();
  });
  EXPECT_EQ(take(queue), 1u);
  other.join();
}

TEST(commit_queue, gives_what_nobody_wanted_once_it_is_closed) {
  commit_queue queue;
  EXPECT_TRUE(push(queue, 20));
  queue.close();
  EXPECT_EQ(take(queue), 20u);
  commit_batch rest;
  EXPECT_FALSE(wait_and_take(queue, rest));
}

TEST(commit_queue, wants_nothing_any_more_that_was_taken) {
  commit_queue queue;
  EXPECT_FALSE(queue.is_unwanted());
  static_cast<void>(push(queue));
  EXPECT_TRUE(queue.is_unwanted());
  commit_batch taken;
  EXPECT_TRUE(queue.take(taken));
  EXPECT_FALSE(queue.is_unwanted());
  EXPECT_FALSE(queue.take(taken));
}

TEST(commit_queue, knows_whether_several_threads_pushed_a_group) {
  commit_queue queue;
  static_cast<void>(push(queue, 2));
  commit_batch taken;
  EXPECT_TRUE(queue.take(taken));
  EXPECT_FALSE(taken.has_several_pushers);
  static_cast<void>(push(queue));
  std::thread([&] { static_cast<void>(push(queue)); }).join();
  EXPECT_TRUE(queue.take(taken));
  EXPECT_TRUE(taken.has_several_pushers);
}

TEST(commit_queue, knows_whether_others_have_pushed_since_a_group_was_taken) {
  commit_queue queue;
  static_cast<void>(push(queue));
  commit_batch taken;
  EXPECT_TRUE(queue.take(taken));
  EXPECT_FALSE(queue.has_of_others(taken));
  static_cast<void>(push(queue));
  EXPECT_FALSE(queue.has_of_others(taken));
  std::thread([&] { static_cast<void>(push(queue)); }).join();
  EXPECT_TRUE(queue.has_of_others(taken));
}

TEST(commit_queue, loses_no_command_of_several_threads) {
  constexpr int threads = 4;
  constexpr int rounds = 2'000;
  commit_queue queue;
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i) {
    workers.emplace_back([&] {
      for (int round = 0; round < rounds; ++round) {
        static_cast<void>(push(queue, 3));
        flush(queue);
      }
    });
  }
  std::size_t taken = 0;
  while (taken < std::size_t{threads} * rounds * 3)
    taken += take(queue);
  for (std::thread& each : workers)
    each.join();
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace onceward::journal
