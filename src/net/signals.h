// Signals of the operating system, as calls on a loop.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>

#include "net/loop.h"

namespace onceward::net {

class signal_watch {
 public:
  // `on_signal` is called on the loop with each of `numbers` that the process gets, which then has no other effect.
  signal_watch(loop& owner, std::initializer_list<int> numbers, std::function<void(int)> on_signal);
  signal_watch(const signal_watch&) = delete;
  signal_watch& operator=(const signal_watch&) = delete;
  ~signal_watch();

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace onceward::net
