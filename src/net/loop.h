// One thread's event loop, with the clock that everything on it reads.
//
// The thread that calls run() is the loop's thread: handlers run there, one after the other, and everything made for a
// loop (deadlines, sockets) is used and destroyed there, or while the loop does not run. post(), stop() and wake_up are
// the exceptions and say so.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "base/time.h"

namespace onceward::net {

namespace detail {
class poller;
class send_batch;
class timer_wheel;
}  // namespace detail

// How a turn of a loop ended.
enum class turn_end {
  nothing_left,  // The loop is about to wait.
  cut_short,     // There is more to do; the next turn begins with it.
};

class loop {
 public:
  using callback = std::function<void()>;

  loop();
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;
  ~loop();

  // Runs handlers until stop(). May be called again after it has returned.
  void run();

  // Any thread. Handlers that are ready but have not run stay for the next run().
  void stop();

  // The time at which the running handler began, so that one handler sees one time. Outside of run(): when it was last
  // refreshed.
  base::moment now() const { return now_; }

  // What the clock says, also in the middle of a handler.
  base::moment read_clock() const;

  // Calls `work` on the loop's thread at the end of each turn, that is, when there is nothing left to do, or when there
  // has been much: the moment to pass on what the turn has gathered for others. Not while the loop runs.
  void at_end_of_turn(std::function<void(turn_end)> work) { at_end_of_turn_ = std::move(work); }

  // Runs `work` on the loop's thread, never from inside post(). Any thread, also before run(). Each call allocates and
  // may wake the thread: use wake_up where many calls mean the same.
  void post(callback work);

  // ---- For the rest of net ------------------------------------------------------------------------------------------

  boost::asio::io_context& context() { return context_; }

  // What run() calls at the end of a turn.
  void end_turn(turn_end how) {
    if (at_end_of_turn_) at_end_of_turn_(how);
  }

  // Reads the clock. Called on each entry from Asio, before any handler of ours.
  void refresh_now();

  detail::timer_wheel& timers() { return *timers_; }
  detail::send_batch& sends() { return *sends_; }
  detail::poller& connections() { return *connections_; }

 private:
  // After each handler.
  void look_whether_turn_ends();

  boost::asio::io_context context_;
  base::moment now_;
  std::function<void(turn_end)> at_end_of_turn_;
  std::atomic<int> posted_{0};  // And not run yet.
  int handlers_of_turn_ = 0;
  std::unique_ptr<detail::timer_wheel> timers_;
  std::unique_ptr<detail::send_batch> sends_;
  std::unique_ptr<detail::poller> connections_;
};

}  // namespace onceward::net
