// How long the upstream takes for the requests of each route, as one worker has seen it lately: what Retry-After is
// made of.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

#include "base/time.h"

namespace onceward::gateway {

class route_latencies {
 public:
  explicit route_latencies(std::size_t routes) : averages_(routes, base::moment::duration::zero()) {}

  // A moving average in which a measurement has lost half of its weight after about five more.
  void note(std::size_t route, base::moment::duration took) {
    base::moment::duration& average = averages_[route];
    average = average == average.zero() ? took : average + (took - average) / 8;
  }

  // Whole seconds, at least one.
  std::chrono::seconds retry_after(std::size_t route) const {
    return std::max(std::chrono::ceil<std::chrono::seconds>(averages_[route]), std::chrono::seconds(1));
  }

 private:
  std::vector<base::moment::duration> averages_;
};

}  // namespace onceward::gateway
