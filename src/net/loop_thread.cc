#include "net/loop_thread.h"

#include <thread>
#include <utility>

#include "base/assert.h"

namespace onceward::net {

struct loop_thread::state {
  std::thread thread;
};

loop_thread::loop_thread() = default;

loop_thread::~loop_thread() {
  onceward_assert(!joinable());
}

void loop_thread::start(loop&, std::function<void()> body) {
  onceward_assert(state_ == nullptr);
  state_ = std::make_unique<state>(std::thread(std::move(body)));
}

bool loop_thread::joinable() const {
  return state_ != nullptr;
}

void loop_thread::join() {
  if (state_ == nullptr) return;
  state_->thread.join();
  state_.reset();
}

}  // namespace onceward::net
