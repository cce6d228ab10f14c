// What is going to happen, and the one true time. Nothing happens but from here, in the order of time, and what is due
// at the same moment in the order in which it was planned.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/time.h"

namespace onceward::simulation {

class schedule {
 public:
  using work = std::function<void()>;

  base::moment now() const { return now_; }

  void at(base::moment when, work what) {
    events_.push_back({std::max(when, now_), ++planned_, std::move(what)});
    std::push_heap(events_.begin(), events_.end(), later{});
  }
  void in(base::moment::duration delay, work what) { at(now_ + delay, std::move(what)); }

  // False if nothing is planned before `end`; the time is then `end`.
  bool run_next(base::moment end) {
    if (events_.empty() || events_.front().when > end) {
      now_ = std::max(now_, end);
      return false;
    }
    std::pop_heap(events_.begin(), events_.end(), later{});
    event next = std::move(events_.back());
    events_.pop_back();
    now_ = next.when;
    next.what();
    return true;
  }

 private:
  struct event {
    base::moment when;
    std::uint64_t number;
    work what;
  };
  struct later {
    bool operator()(const event& left, const event& right) const {
      return left.when != right.when ? left.when > right.when : left.number > right.number;
    }
  };

  base::moment now_{};
  std::uint64_t planned_ = 0;
  std::vector<event> events_;
};

}  // namespace onceward::simulation
