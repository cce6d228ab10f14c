// Who commits what a thread has gathered: the thread itself, where it is idle, or the committer.
//
// A thread that does it itself saves two changes of thread for each group, and so some CPU and a good deal of latency.
// But it stands still while the disk syncs, and with it everybody whom it serves. So it does so while the disk is
// quick, and while threads do not get in each other's way: where several gather at the same time, the groups that each
// would make are small, and one committer that takes what all have gathered costs less.
//
// Threads: note() by one at a time, idle_thread_commits() from any.
#pragma once

#include <atomic>
#include <chrono>

#include "stores/journal/options.h"

namespace onceward::journal {

class commit_policy {
 public:
  // What writing and syncing may take on an average of the last ones.
  static constexpr std::chrono::microseconds quick{1'000};

  explicit commit_policy(idle_commits chosen) : chosen_(chosen), idle_thread_commits_(chosen == idle_commits::always) {}

  bool idle_thread_commits() const { return idle_thread_commits_.load(std::memory_order_relaxed); }

  // What it took to write and sync a group, and whether more than one thread gathered in the meantime.
  void note(std::chrono::nanoseconds took, bool crowded);

 private:
  const idle_commits chosen_;
  // Moving averages. Nothing is known at first, so the committer begins.
  std::chrono::nanoseconds took_{2 * quick};
  int crowded_ = 0;
  std::atomic<bool> idle_thread_commits_;
};

}  // namespace onceward::journal
