// A clock that stands still until a test moves it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "onceward/store.h"

namespace onceward::conformance {

class settable_clock {
 public:
  wall_time now() const { return wall_time{std::chrono::milliseconds{now_ms_.load()}}; }
  void advance(std::chrono::milliseconds by) { now_ms_.fetch_add(by.count()); }

 private:
  // 2026-01-01; any time will do that is not the epoch.
  std::atomic<std::int64_t> now_ms_{1'767'225'600'000};
};

}  // namespace onceward::conformance
