// Objects that are used again and again, so that a request in steady state allocates none: as many as were ever in use
// at once. They are destroyed with the recycler and never before, so one may be given back from inside its own
// functions.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace onceward::gateway {

template <typename Object>
class recycler {
 public:
  explicit recycler(std::function<std::unique_ptr<Object>()> make) : make_(std::move(make)) {}

  Object& take() {
    if (free_.empty()) {
      all_.push_back(make_());
      free_.reserve(all_.capacity());
      return *all_.back();
    }
    Object& again = *free_.back();
    free_.pop_back();
    return again;
  }

  void give_back(Object& done) {
    onceward_assert(free_.size() < all_.size());
    free_.push_back(&done);
  }

  std::size_t in_use() const { return all_.size() - free_.size(); }

  // In use or not. More may be taken meanwhile.
  template <typename Visit>
  void for_each(Visit&& visit) {
    for (std::size_t i = 0; i < all_.size(); ++i)
      visit(*all_[i]);
  }

 private:
  std::function<std::unique_ptr<Object>()> make_;
  std::vector<std::unique_ptr<Object>> all_;
  std::vector<Object*> free_;
};

}  // namespace onceward::gateway
