// The value of Date (RFC 9110 section 6.6.1), made once a second.
#pragma once

#include <array>
#include <chrono>
#include <string_view>

#include "base/time.h"
#include "http/date.h"

namespace onceward::gateway {

class date_clock {
 public:
  // Valid until the next call.
  std::string_view text(base::moment now) {
    if (now >= stale_) refresh(now);
    return {text_.data(), text_.size()};
  }

 private:
  void refresh(base::moment now) {
    const auto wall = std::chrono::system_clock::now();
    const auto second = std::chrono::floor<std::chrono::seconds>(wall);
    text_ = http::http_date(second);
    stale_ = now + std::chrono::duration_cast<base::moment::duration>(second + std::chrono::seconds(1) - wall);
  }

  std::array<char, http::http_date_bytes> text_{};
  base::moment stale_ = base::moment::min();
};

}  // namespace onceward::gateway
