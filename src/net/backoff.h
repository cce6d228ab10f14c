// How long to wait before the next try to connect: doubled with each failure up to a bound, and then a random part of
// it, so that many gateways do not come back at the same moment.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace onceward::net {

class backoff {
 public:
  static constexpr std::chrono::milliseconds first{50};
  static constexpr std::chrono::milliseconds longest{5'000};

  // `random` is uniform. At least half of the full pause.
  std::chrono::milliseconds next(std::uint32_t random) {
    const std::chrono::milliseconds full = pause_;
    pause_ = std::min(pause_ * 2, longest);
    const auto half = full.count() / 2;
    return std::chrono::milliseconds{half + static_cast<std::int64_t>(random) % (half + 1)};
  }

  void reset() { pause_ = first; }

 private:
  std::chrono::milliseconds pause_ = first;
};

}  // namespace onceward::net
