// A process of the simulated system: it has a clock of its own, can be stopped for a while, and ends at any moment.
//
// Whatever it does it does in run() or as work that was posted to it; nothing of that happens while it is stopped, and
// nothing ever after its end. What is planned for it outlives it harmlessly.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/time.h"
#include "onceward/store.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/schedule.h"

namespace onceward::simulation {

class network;

// In which it is worst to be stopped, on the way to the upstream.
enum class delicate_moment {
  connecting,
  send_put_off,  // And not made.
  sent,          // And the sender not told.
  sent_in_part,
};

class process {
 public:
  struct clock_error {
    std::int64_t drift_ppm = 0;
  };

  process(schedule& time, network& net, std::uint64_t seed, clock_error error);
  process(const process&) = delete;
  process& operator=(const process&) = delete;
  ~process();

  // The one that runs now.
  static process& current() { return *current_; }
  static bool any_runs() { return current_ != nullptr; }

  // Does `what` now, as this process.
  void run(const std::function<void()>& what);
  // Does it after `delay` of true time, or as soon after that as it is not stopped.
  void post(base::moment::duration delay, schedule::work what);

  void stop_until(base::moment when);
  bool stopped() const { return life_->stopped_until > time_.now(); }

  // Does `what` when it next reaches that moment, and nothing that was to be done at another one.
  void at_next(delicate_moment when, schedule::work what);
  void reached(delicate_moment which);

  // From here on nothing that it still does, in its destructors too, is seen by anybody.
  void end();
  bool ended() const { return life_->ended; }

  // Its clock for waiting, and when, in true time, that clock will show `when`.
  base::moment now() const { return at(time_.now()); }
  base::moment true_time_of(base::moment when) const;
  // Its clock for people. It jumps with the machine's.
  wall_time wall_now() const;
  void set_wall_offset(std::chrono::milliseconds offset) { wall_offset_ = offset; }

  schedule& time() { return time_; }
  network& net() { return net_; }
  dice& random() { return random_; }

 private:
  struct life {
    bool ended = false;
    base::moment stopped_until{};
    std::vector<schedule::work> missed;
  };
  base::moment at(base::moment true_time) const;
  void go_on();

  static process* current_;

  schedule& time_;
  network& net_;
  dice random_;
  clock_error error_;
  base::moment born_;
  base::moment clock_at_birth_;
  std::chrono::milliseconds wall_offset_{0};
  delicate_moment awaited_{};
  schedule::work at_awaited_;  // None where no moment is awaited.
  std::shared_ptr<life> life_;
};

}  // namespace onceward::simulation
