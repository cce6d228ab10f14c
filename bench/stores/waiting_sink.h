// A sink for somebody who submits a group of commands and waits until all of them are answered.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <span>
#include <utility>
#include <variant>

#include "onceward/store.h"

namespace onceward::bench {

class waiting_sink final : public reply_sink {
 public:
  void deliver(std::span<tagged_reply> replies) override {
    const std::lock_guard lock(guard_);
    for (const tagged_reply& each : replies) {
      if (!std::holds_alternative<claim_granted>(each.value) && !std::holds_alternative<applied>(each.value)) {
        ++refused_;
      }
    }
    answered_ += replies.size();
    if (answered_ >= expected_) arrived_.notify_all();
  }

  // Whether each of them was granted or applied.
  template <typename Commands>
  bool submit_and_wait(store& to, Commands commands) {
    {
      const std::lock_guard lock(guard_);
      answered_ = refused_ = 0;
      expected_ = commands.size();
    }
    for (command& each : commands)
      to.gather(std::move(each), *this, 0);
    to.flush(caller::busy);
    std::unique_lock lock(guard_);
    arrived_.wait(lock, [&] { return answered_ >= expected_; });
    return refused_ == 0;
  }

 private:
  std::mutex guard_;
  std::condition_variable arrived_;
  std::size_t expected_ = 0;
  std::size_t answered_ = 0;
  std::size_t refused_ = 0;
};

}  // namespace onceward::bench
