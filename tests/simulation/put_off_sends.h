// What the connections of a loop have put off sending, as net/send_batch.h has it: somewhat later all of it is sent,
// and then whoever put it off is told.
//
// Until it is sent the loop goes on. From then until the last one is told, its thread is in the system call and right
// behind it: time may pass, and nothing else happens on the loop.
#pragma once

#include <deque>
#include <vector>

#include "net/loop.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/process.h"
#include "tests/simulation/schedule.h"

namespace onceward::simulation {

class put_off_sends {
 public:
  class sender {
   public:
    // Sends what it put off, if that is still wanted.
    virtual void send_put_off() = 0;
    // It may be destroyed here, and others.
    virtual void on_sent() = 0;

   protected:
    ~sender() = default;
  };

  put_off_sends(process& owner, net::loop& on) : owner_(owner), loop_(on), random_(owner.random().next()) {}

  // False while others are told: what they have to say goes out at once. One at a time for each sender.
  [[nodiscard]] bool add(sender& who);
  void forget(const sender& who);

  // Does `what` now, or when the loop's thread has told everybody; what came first is done first.
  void enter(schedule::work what);
  // Does `what` when nothing is put off any more. One at a time.
  void when_all_are_told(schedule::work what);

 private:
  void send_all();
  void tell_all();
  void let_in();

  process& owner_;
  net::loop& loop_;
  dice random_;
  std::vector<sender*> senders_;  // Null once it is forgotten, or told.
  bool in_call_ = false;
  std::deque<schedule::work> waiting_;  // For the loop's thread.
  schedule::work last_;
};

}  // namespace onceward::simulation
