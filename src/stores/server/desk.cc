#include "stores/server/desk.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <condition_variable>
#include <utility>

#include "base/assert.h"

namespace onceward::server {
namespace {

int make_bell() {
  const int bell = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  onceward_assert(bell >= 0);
  return bell;
}

}  // namespace

desk::desk(limits chosen) : limits_(chosen), bell_(make_bell()) {}

desk::~desk() {
  ::close(bell_);
}

// ---- Any thread ----------------------------------------------------------------------------------------------------

void desk::submit(command what, reply_sink& sink, std::uint64_t tag) {
  const bool too_many = outstanding_.fetch_add(1, std::memory_order_relaxed) >= limits_.commands_max;
  if (too_many || limits_.weigh(what) > limits_.command_bytes_max) {
    outstanding_.fetch_sub(1, std::memory_order_relaxed);
    const errc reason = too_many ? errc::unavailable : errc::too_large;
    tagged_reply refusal{tag, store_failure{certainty::definite, reason}};
    return sink.deliver({&refusal, 1});
  }
  put(core::pending_command{std::move(what), &sink, tag, {}});
}

void desk::post(errand what) {
  put(std::move(what));
}

void desk::post_and_wait(std::function<void(errand done)> what) {
  std::mutex mutex;
  std::condition_variable ended;
  bool is_done = false;
  const auto done = [&] {
    const std::lock_guard hold(mutex);
    is_done = true;
    ended.notify_all();
  };
  post([&] { what(done); });
  std::unique_lock hold(mutex);
  ended.wait(hold, [&] { return is_done; });
}

void desk::put(letter what) {
  bool is_first = false;
  {
    const std::lock_guard hold(mutex_);
    is_first = letters_.empty();
    letters_.push_back(std::move(what));
  }
  if (is_first) ring();
}

void desk::close() {
  {
    const std::lock_guard hold(mutex_);
    closing_ = true;
  }
  ring();
}

void desk::ring() const {
  const std::uint64_t once = 1;
  static_cast<void>(::write(bell_, &once, sizeof once) == sizeof once);
}

void desk::observe(record_observer* observer) {
  const std::lock_guard hold(observer_mutex_);
  observer_ = observer;
}

// ---- The store's thread --------------------------------------------------------------------------------------------

void desk::silence() const {
  std::uint64_t rung = 0;
  static_cast<void>(::read(bell_, &rung, sizeof rung) == sizeof rung);
}

std::span<desk::letter> desk::take() {
  opened_.clear();
  const std::lock_guard hold(mutex_);
  opened_.swap(letters_);
  is_closed_ = closing_;
  return opened_;
}

void desk::answer(const core::pending_command& to, reply value) {
  replies_.add(*to.sink, to.tag, std::move(value));
  outstanding_.fetch_sub(1, std::memory_order_relaxed);
}

void desk::tell_observer(std::span<const record_key> keys) {
  const std::lock_guard hold(observer_mutex_);
  if (observer_ == nullptr) return;
  if (keys.empty()) return observer_->any_may_have_ended();
  observer_->attempts_ended(keys);
}

}  // namespace onceward::server
