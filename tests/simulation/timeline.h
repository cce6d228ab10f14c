// What happened in a run, in order: always as a digest, by which two runs are told apart, and as text where somebody
// wants to read it.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace onceward::simulation {

class timeline {
 public:
  explicit timeline(bool tell) : telling_(tell) {}

  // One line, of texts and numbers.
  template <typename... Parts>
  void say(base::moment when, const Parts&... parts) {
    mix(static_cast<std::uint64_t>(when.time_since_epoch().count()));
    (mix(parts), ...);
    if (!telling_) return;
    begin_line(when);
    (add(parts), ...);
  }

  std::uint64_t digest() const { return digest_; }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  void mix(std::integral auto number) {
    digest_ = (digest_ ^ static_cast<std::uint64_t>(number)) * 0x9fb21c651e98df25u;
    digest_ ^= digest_ >> 32;
  }
  void mix(std::string_view text);
  void add(std::integral auto number) { lines_.back() += std::to_string(number); }
  void add(std::string_view text) { lines_.back() += text; }
  void begin_line(base::moment when);

  bool telling_;
  std::uint64_t digest_ = 0;
  std::vector<std::string> lines_;
};

}  // namespace onceward::simulation
