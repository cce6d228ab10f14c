// A queue from many threads to one that takes all there is at once: whatever arrives while the consumer works is its
// next batch. The consumer pays one wait for a batch, the producers one wake-up.
//
// Threads: push(), wake(), empty() and close() from any thread; take() and take_now() from one.
#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

namespace onceward::base {

template <typename Item>
class batch_queue {
 public:
  // Returns true if the consumer may be asleep: the caller then calls wake(), after it has let go of its own locks, so
  // that no lock is held across the system call.
  [[nodiscard]] bool push(Item item) {
    const std::lock_guard hold(mutex_);
    items_.push_back(std::move(item));
    return items_.size() == 1;
  }

  void wake() { filled_.notify_one(); }

  // Waits for items and swaps them into `batch`, which is emptied first and keeps its memory. False once the queue is
  // closed and everything pushed before has been taken.
  bool take(std::vector<Item>& batch) {
    batch.clear();
    std::unique_lock hold(mutex_);
    filled_.wait(hold, [this] { return closed_ || !items_.empty(); });
    items_.swap(batch);
    return !batch.empty();
  }

  // The same without waiting: false if there is nothing now.
  bool take_now(std::vector<Item>& batch) {
    batch.clear();
    const std::lock_guard hold(mutex_);
    items_.swap(batch);
    return !batch.empty();
  }

  bool empty() {
    const std::lock_guard hold(mutex_);
    return items_.empty();
  }

  // Lets take() come to its end. Afterwards only the consumer itself may push.
  void close() {
    {
      const std::lock_guard hold(mutex_);
      closed_ = true;
    }
    filled_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::vector<Item> items_;
  bool closed_ = false;
};

}  // namespace onceward::base
