#include "stores/journal/commit_queue.h"

#include <utility>

namespace onceward::journal {
namespace {

// Longer memory for bodies is given back.
constexpr std::size_t bodies_kept_max = 4u << 20;

}  // namespace

void commit_batch::clear() {
  items.clear();
  bodies.clear();
  if (bodies.capacity() > bodies_kept_max) bodies.shrink_to_fit();
}

bool commit_queue::push(commit_item item) {
  const std::lock_guard hold(mutex_);
  waiting_.items.push_back(std::move(item));
  return owes_a_wake_up();
}

bool commit_queue::push(change what, const core::record& kept) {
  const std::lock_guard hold(mutex_);
  const std::size_t before = waiting_.bodies.size();
  encode_entry_body(what.key, kept, waiting_.bodies);
  what.body_bytes = waiting_.bodies.size() - before;
  waiting_.items.emplace_back(std::move(what));
  return owes_a_wake_up();
}

bool commit_queue::owes_a_wake_up() {
  if (!is_wanted_) wake_is_owed_.store(true);
  return !is_wanted_;
}

void commit_queue::wake() {
  {
    const std::lock_guard hold(mutex_);
    is_wanted_ = true;
    wake_is_owed_.store(false);
  }
  wanted_.notify_one();
}

bool commit_queue::hand_over(commit_batch& batch) {
  std::swap(batch, waiting_);
  is_wanted_ = false;
  wake_is_owed_.store(false);
  return !batch.items.empty();
}

bool commit_queue::take(commit_batch& batch) {
  batch.clear();
  std::unique_lock hold(mutex_);
  // Who woke it may have come too late: what was wanted is gone already.
  while (true) {
    wanted_.wait(hold, [this] { return closed_ || is_wanted_; });
    if (hand_over(batch)) return true;
    if (closed_) return false;
  }
}

bool commit_queue::take_now(commit_batch& batch) {
  batch.clear();
  const std::lock_guard hold(mutex_);
  return hand_over(batch);
}

bool commit_queue::empty() {
  const std::lock_guard hold(mutex_);
  return waiting_.items.empty();
}

void commit_queue::close() {
  {
    const std::lock_guard hold(mutex_);
    closed_ = true;
  }
  wanted_.notify_all();
}

}  // namespace onceward::journal
