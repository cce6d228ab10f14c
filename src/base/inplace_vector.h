// A vector of at most N elements that lie in it, as std::inplace_vector of C++26: nothing allocates, and an empty place
// costs nothing, neither to make nor to destroy.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include "base/assert.h"

namespace onceward::base {

template <typename T, std::size_t N>
class inplace_vector {
 public:
  static constexpr std::size_t size_max = N;

  // Not `= default`: value-initialization would write zeros over all places.
  inplace_vector() {}  // NOLINT(modernize-use-equals-default)
  inplace_vector(inplace_vector&& other) noexcept { take(other); }
  inplace_vector& operator=(inplace_vector&& other) noexcept {
    if (this != &other) {
      clear();
      take(other);
    }
    return *this;
  }
  ~inplace_vector() { clear(); }

  template <typename... Arguments>
  T& emplace_back(Arguments&&... from) {
    onceward_assert(size_ < N);
    T* const made = std::construct_at(begin() + size_, std::forward<Arguments>(from)...);
    ++size_;
    return *made;
  }

  void clear() {
    std::destroy_n(begin(), size_);
    size_ = 0;
  }

  T* begin() { return std::launder(reinterpret_cast<T*>(places_.data())); }
  T* end() { return begin() + size_; }
  const T* begin() const { return std::launder(reinterpret_cast<const T*>(places_.data())); }
  const T* end() const { return begin() + size_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  void take(inplace_vector& other) {
    for (T& each : other)
      emplace_back(std::move(each));
    other.clear();
  }

  alignas(T) std::array<std::byte, N * sizeof(T)> places_;
  std::size_t size_ = 0;
};

}  // namespace onceward::base
