#include "net/wake_up.h"

#include <memory>
#include <utility>

namespace onceward::net {

wake_up::wake_up(loop& owner, loop::callback on_woken) : loop_(owner), state_(std::make_shared<state>()) {
  state_->on_woken = std::move(on_woken);
}

wake_up::~wake_up() {
  state_->abandoned = true;
}

void wake_up::notify() {
  if (state_->pending.exchange(true, std::memory_order_acq_rel)) return;
  loop_.post([shared = state_] {
    // Cleared first: a call that comes from here on is a wake-up of its own, and what it wrote is not missed.
    shared->pending.exchange(false, std::memory_order_acq_rel);
    if (!shared->abandoned) shared->on_woken();
  });
}

}  // namespace onceward::net
