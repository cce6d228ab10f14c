// A list in place, with room for a few: nothing is allocated, and what was not added was never written.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>

#include "base/assert.h"

namespace onceward::base {

// Of at most `max` items; one more is a fault of the program.
template <class Item, std::size_t max>
class bounded_list {
  static_assert(std::is_trivially_copyable_v<Item> && std::is_trivially_destructible_v<Item>);

 public:
  bounded_list() {}  // NOLINT(modernize-use-equals-default): leaves the room as it is.
  bounded_list(const bounded_list&) = delete;
  bounded_list& operator=(const bounded_list&) = delete;
  ~bounded_list() = default;

  void add(const Item& item) {
    onceward_assert(size_ < max);
    std::construct_at(room_ + size_++, item);
  }

  // Until the next add().
  std::span<const Item> items() const { return {room_, size_}; }

 private:
  union {
    Item room_[max];
  };
  std::size_t size_ = 0;
};

}  // namespace onceward::base
