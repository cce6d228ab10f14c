// The two kinds of time. A moment measures waiting and deadlines inside one process; wall_time (onceward/store.h) is
// what records and people are told. Nothing here reads a clock: time is handed in, so that every run can be repeated.
#pragma once

#include <chrono>

namespace onceward::base {

// A clock in name only: it gives moments a type of their own.
struct monotonic {
  using duration = std::chrono::microseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<monotonic>;
  static constexpr bool is_steady = true;
};

// Microseconds since an arbitrary start that is the same for the whole process; never goes back.
using moment = monotonic::time_point;

}  // namespace onceward::base
