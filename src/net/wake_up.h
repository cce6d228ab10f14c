// Wakes a loop from other threads, many times for the price of one: calls that come before the loop has looked are one
// wake-up. What there is to look at lies elsewhere, in a queue of the owner.
#pragma once

#include <memory>

#include "net/loop.h"

namespace onceward::net {

class wake_up {
 public:
  // `on_woken` runs on the loop's thread after at least one call of notify(), and sees everything that was written
  // before the calls that it answers. The loop outlives the wake-up. Made and destroyed where the loop's other things
  // are.
  wake_up(loop& owner, loop::callback on_woken);
  wake_up(const wake_up&) = delete;
  wake_up& operator=(const wake_up&) = delete;
  ~wake_up();

  // Any thread, as long as the object lives. Almost free while a wake-up is already on its way.
  void notify();

 private:
  struct state;

  loop& loop_;
  std::shared_ptr<state> state_;
};

}  // namespace onceward::net
