#include "net/deadline.h"

#include <utility>

#include "net/timer_wheel.h"

namespace onceward::net {

deadline::deadline(loop& owner, handler on_due) : loop_(owner), on_due_(std::move(on_due)) {}

void deadline::arm(base::moment when) {
  if (armed() && loop_.timers().postpone(*this, when)) return;
  cancel();
  loop_.timers().insert(*this, when);
}

void deadline::cancel() {
  if (armed()) detail::timer_wheel::remove(*this);
}

}  // namespace onceward::net
