#include "stores/journal/commit_queue.h"

#include <utility>

namespace onceward::journal {
namespace {

// Longer memory for bodies is given back.
constexpr std::size_t bodies_kept_max = 4u << 20;

}  // namespace

void commit_batch::clear() {
  changes.clear();
  bodies.clear();
  if (bodies.capacity() > bodies_kept_max) bodies.shrink_to_fit();
  rewrites.clear();
  answers.clear();
  barriers.clear();
  first_pusher = nullptr;
  has_several_pushers = false;
}

bool commit_queue::push(const change& what, const record_key& key, const core::record& kept) {
  const std::lock_guard hold(mutex_);
  const std::size_t before = waiting_.bodies.size();
  encode_entry_body(key, kept, waiting_.bodies);
  waiting_.changes.push_back(what);
  waiting_.changes.back().body_bytes = static_cast<std::uint32_t>(waiting_.bodies.size() - before);
  return note_pushed();
}

bool commit_queue::push(answer what) {
  const std::lock_guard hold(mutex_);
  waiting_.answers.push_back(std::move(what));
  return note_pushed();
}

bool commit_queue::push(barrier what) {
  const std::lock_guard hold(mutex_);
  waiting_.barriers.push_back(what);
  return note_pushed();
}

bool commit_queue::push(rewrite_group what) {
  const std::lock_guard hold(mutex_);
  waiting_.rewrites.push_back(std::move(what));
  return note_pushed();
}

bool commit_queue::note_pushed() {
  thread_local char mark_of_this_thread;
  if (waiting_.first_pusher == nullptr) waiting_.first_pusher = &mark_of_this_thread;
  if (waiting_.first_pusher != &mark_of_this_thread) waiting_.has_several_pushers = true;
  if (!is_wanted_) is_unwanted_.store(true);
  return !is_wanted_;
}

void commit_queue::wake() {
  {
    const std::lock_guard hold(mutex_);
    is_wanted_ = true;
    is_unwanted_.store(false);
  }
  wanted_.notify_one();
}

bool commit_queue::wait() {
  std::unique_lock hold(mutex_);
  wanted_.wait(hold, [this] { return closed_ || is_wanted_; });
  return !closed_ || !waiting_.empty();
}

bool commit_queue::take(commit_batch& batch) {
  batch.clear();
  const std::lock_guard hold(mutex_);
  std::swap(batch, waiting_);
  is_wanted_ = false;
  is_unwanted_.store(false);
  return !batch.empty();
}

bool commit_queue::has_of_others(const commit_batch& taken) {
  const std::lock_guard hold(mutex_);
  return waiting_.has_several_pushers || (!waiting_.empty() && waiting_.first_pusher != taken.first_pusher);
}

bool commit_queue::empty() {
  const std::lock_guard hold(mutex_);
  return waiting_.empty();
}

void commit_queue::close() {
  {
    const std::lock_guard hold(mutex_);
    closed_ = true;
  }
  wanted_.notify_all();
}

}  // namespace onceward::journal
