// The thread that a loop runs on, for as long as the loop runs.
#pragma once

#include <functional>
#include <memory>

#include "net/loop.h"

namespace onceward::net {

class loop_thread {
 public:
  loop_thread();
  loop_thread(const loop_thread&) = delete;
  loop_thread& operator=(const loop_thread&) = delete;
  // Not while it runs.
  ~loop_thread();

  // Once. `body` calls run() of the loop, which outlives the thread, and does what is left when that returns.
  void start(loop& of, std::function<void()> body);

  // Started and not joined.
  bool joinable() const;
  // Waits for the end of `body`; at once where nothing was started.
  void join();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace onceward::net
