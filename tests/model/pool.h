// Each value once, under a number. States hold the numbers, so that a state is a few bytes whatever it speaks of.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>

#include "tests/model/encoding.h"

namespace onceward::model {

// Numbers start at 1, in the order of first appearance; 0 stands for none.
template <typename T>
class pool {
 public:
  std::uint32_t add(const T& value) {
    const auto [found, is_new] = ids_.try_emplace(digest_of(value), static_cast<std::uint32_t>(values_.size() + 1));
    if (is_new) values_.push_back(value);
    return found->second;
  }

  const T& operator[](std::uint32_t id) const { return values_[id - 1]; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(values_.size()); }

 private:
  struct first_half {
    std::size_t operator()(const digest& of) const noexcept { return of.low; }
  };
  std::unordered_map<digest, std::uint32_t, first_half> ids_;
  std::deque<T> values_;
};

}  // namespace onceward::model
