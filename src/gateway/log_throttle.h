// Bounds how often the same event is logged, so that a fault which repeats a thousand times a second fills no disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace onceward::gateway {

// Not for several threads at once.
class log_throttle {
 public:
  static constexpr std::uint32_t lines_per_window_max = 20;
  static constexpr base::monotonic::duration window = std::chrono::seconds{10};
  // Events that are told apart. Further ones are bounded together.
  static constexpr std::size_t events_max = 256;

  // Nothing if a line about the event is to be left out; else how many were left out since the last one.
  std::optional<std::uint64_t> admit(std::string_view event, base::moment now);

 private:
  struct history {
    base::moment window_start;
    std::uint32_t lines = 0;
    std::uint64_t left_out = 0;
  };

  std::map<std::string, history, std::less<>> events_;
};

}  // namespace onceward::gateway
