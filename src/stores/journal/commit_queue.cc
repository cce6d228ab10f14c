#include "stores/journal/commit_queue.h"

#include <algorithm>
#include <utility>

namespace onceward::journal {
namespace {

// Longer memory for bodies is given back.
constexpr std::size_t bodies_kept_max = 4u << 20;

// A lone command, and a few, are never kept waiting; and many enough share the cost of their sync as it is.
constexpr std::size_t patience_from = 16;
constexpr std::size_t patience_to = 256;

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

// The first item does, and the last that is waited for; those behind it only as long as nobody has paid.
bool commit_queue::owes_a_wake_up() {
  const std::size_t size = waiting_.items.size();
  if (size == 1 || size == awaited_) wake_is_owed_.store(true);
  return wake_is_owed_.load();
}

std::size_t commit_queue::expected() const {
  return std::min(*std::max_element(last_sizes_.begin(), last_sizes_.end()), patience_to);
}

bool commit_queue::hand_over(commit_batch& batch) {
  std::swap(batch, waiting_);
  wake_is_owed_.store(false);
  last_sizes_[next_place_] = batch.items.size();
  next_place_ = (next_place_ + 1) % last_sizes_.size();
  return !batch.items.empty();
}

bool commit_queue::take(commit_batch& batch, std::chrono::microseconds patience) {
  batch.clear();
  std::unique_lock hold(mutex_);
  if (waiting_.items.size() >= patience_from && waiting_.items.size() < expected()) {
    awaited_ = expected();
    filled_.wait_for(hold, patience, [this] { return closed_ || waiting_.items.size() >= awaited_; });
    awaited_ = 0;
  }
  filled_.wait(hold, [this] { return closed_ || !waiting_.items.empty(); });
  return hand_over(batch);
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
  filled_.notify_all();
}

}  // namespace onceward::journal
