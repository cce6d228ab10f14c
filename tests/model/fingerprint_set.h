// Which states were seen, as 128-bit digests in one open-addressed table of fixed size, each with the place of the
// state that it was first reached from. A run of a billion states takes two for one with a chance below 10^-20.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/model/encoding.h"

namespace onceward::model {

class fingerprint_set {
 public:
  using place = std::uint32_t;
  static constexpr place nowhere = 0xffffffff;

  // At least a quarter of the table stays free, so that searches in it stay short.
  explicit fingerprint_set(std::uint64_t states_max) {
    std::size_t size = 1024;
    while (size * 3 / 4 < states_max)
      size *= 2;
    digests_.resize(size);
    parents_.resize(size);
  }

  struct inserted {
    place at;
    bool is_new;
  };
  inserted insert(digest of, place parent) {
    const std::size_t mask = digests_.size() - 1;
    for (std::size_t at = of.high & mask;; at = (at + 1) & mask) {
      if (digests_[at] == of) return {static_cast<place>(at), false};
      if (digests_[at].low != 0) continue;
      digests_[at] = of;
      parents_[at] = parent;
      ++size_;
      return {static_cast<place>(at), true};
    }
  }

  place parent(place of) const { return parents_[of]; }
  digest at(place of) const { return digests_[of]; }
  std::uint64_t size() const { return size_; }
  std::size_t capacity() const { return digests_.size(); }

 private:
  std::vector<digest> digests_;
  std::vector<place> parents_;
  std::uint64_t size_ = 0;
};

}  // namespace onceward::model
