#include "net/wake_up.h"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

#include "net/poller.h"

namespace onceward::net {
namespace {

int make_event() {
  const int made = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (made < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  return made;
}

}  // namespace

// Another thread wakes the loop with one write to an event that lies among the loop's connections. It is never read:
// each write is told anew, as the set is edge-triggered. loop::post() would allocate, and would hold Asio's lock while
// it makes the loop's thread run, which then runs only to wait for that lock: four system calls more for each wake-up
// of an idle loop.
//
// Shared with a call that is under way on the loop, so that its owner may go meanwhile.
struct wake_up::state final : detail::polled, std::enable_shared_from_this<wake_up::state> {
  state(loop& owner, loop::callback what) : watch(owner.connections()), event(make_event()), on_woken(std::move(what)) {
    const auto added = watch.add(event, *this);
    if (added) {
      place = *added;
      return;
    }
    const int why = errno;
    ::close(event);
    throw std::system_error(why, std::generic_category(), "epoll_ctl");
  }
  state(const state&) = delete;
  state& operator=(const state&) = delete;
  ~state() { ::close(event); }

  void note_events(std::uint32_t) override {}

  // The first time of all says only that the event can be written to.
  void on_events() override {
    const auto kept = shared_from_this();
    run();
  }

  void run() {
    // Cleared first: a call that comes from here on is a wake-up of its own, and what it wrote is not missed.
    if (pending.exchange(false, std::memory_order_acq_rel) && !abandoned) on_woken();
  }

  detail::poller& watch;
  const int event;
  detail::poller::place_number place = 0;
  const loop::callback on_woken;
  std::atomic<bool> pending{false};
  bool abandoned = false;  // The loop's thread only.
};

wake_up::wake_up(loop& owner, loop::callback on_woken)
    : loop_(owner), state_(std::make_shared<state>(owner, std::move(on_woken))) {}

wake_up::~wake_up() {
  state_->abandoned = true;
  state_->watch.remove(state_->place);
}

void wake_up::notify() {
  if (state_->pending.exchange(true, std::memory_order_acq_rel)) return;
  // From inside the loop it costs no system call.
  if (loop_.context().get_executor().running_in_this_thread()) return loop_.post([shared = state_] { shared->run(); });
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(state_->event, &one, sizeof one);
}

}  // namespace onceward::net
