#include "tests/simulation/put_off_sends.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace onceward::simulation {

using std::chrono::microseconds;

namespace {

// Until a loop has handed out what it has at hand: mostly that is little.
microseconds rest_of_the_lot(dice& random) {
  return microseconds(random.below(8) == 0 ? random.between(50, 2'000) : random.between(1, 50));
}

}  // namespace

bool put_off_sends::add(sender& who) {
  if (in_call_) return false;
  if (senders_.empty()) owner_.post(rest_of_the_lot(random_), [this] { send_all(); });
  senders_.push_back(&who);
  return true;
}

void put_off_sends::forget(const sender& who) {
  std::ranges::replace(senders_, &who, nullptr);
}

void put_off_sends::enter(schedule::work what) {
  if (!in_call_ && waiting_.empty()) return what();
  waiting_.push_back(std::move(what));
}

void put_off_sends::when_all_are_told(schedule::work what) {
  if (senders_.empty()) return what();
  last_ = std::move(what);
}

// Nobody reads the loop's clock again here: what its handlers see is the time of the last event that was handed out.
void put_off_sends::send_all() {
  in_call_ = true;
  for (sender* const each : senders_) {
    if (each != nullptr) each->send_put_off();
  }
  owner_.post(microseconds(random_.between(1, 20)), [this] { tell_all(); });
}

void put_off_sends::tell_all() {
  for (std::size_t i = 0; i < senders_.size(); ++i) {
    if (sender* const who = std::exchange(senders_[i], nullptr)) who->on_sent();
  }
  senders_.clear();
  in_call_ = false;
  loop_.end_turn(net::turn_end::nothing_left);
  if (const schedule::work last = std::exchange(last_, nullptr)) last();
  let_in();
}

void put_off_sends::let_in() {
  while (!waiting_.empty() && !owner_.ended()) {
    if (owner_.stopped()) return owner_.post(microseconds(0), [this] { let_in(); });
    const schedule::work next = std::move(waiting_.front());
    waiting_.pop_front();
    next();
  }
}

}  // namespace onceward::simulation
