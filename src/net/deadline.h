// A one-shot timer that is cheap to move: every message of a connection moves several, and almost none ever fires.
//
// Arming and cancelling cost some ten nanoseconds and never reach the kernel's timers, but where a deadline becomes the
// earliest of its loop. The price is precision: a deadline is never early, and late by up to two milliseconds beside
// what the loop itself is late.
#pragma once

#include <cstdint>
#include <functional>

#include "base/time.h"
#include "net/loop.h"

namespace onceward::net {

namespace detail {

// A place in the timer wheel: in a list while it is armed. `link` is whatever points to this node. A node that was
// moved to a later time stays where it is until its old time comes, so that moving it touches no other node.
struct timer_node {
  timer_node* next = nullptr;
  timer_node** link = nullptr;
  std::uint64_t tick = 0;  // By which it was placed.
  std::uint64_t due = 0;   // Not before `tick`.
};

}  // namespace detail

class deadline : private detail::timer_node {
 public:
  using handler = std::function<void()>;

  // `on_due` is called on the loop's thread, each time that an armed deadline has come. It may arm, cancel and destroy
  // any deadline, this one included. The loop outlives the deadline.
  deadline(loop& owner, handler on_due);
  deadline(const deadline&) = delete;
  deadline& operator=(const deadline&) = delete;
  ~deadline() { cancel(); }

  // Due at `when`, instead of whatever was armed before. A moment that has passed is due at the next turn of the loop,
  // never from inside arm().
  void arm(base::moment when);

  // Not due any more: the handler is not called after this, also where the moment has already come.
  void cancel();

  bool armed() const { return link != nullptr; }

 private:
  friend class detail::timer_wheel;

  loop& loop_;
  handler on_due_;
};

}  // namespace onceward::net
