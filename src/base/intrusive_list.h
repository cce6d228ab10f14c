// A list whose links lie in its items: nothing allocates, and an item leaves without being looked for.
#pragma once

#include <cstddef>
#include <utility>

#include "base/assert.h"

namespace onceward::base {

template <typename Item>
class intrusive_list;

// What an item has as its member `links`. It may be in one list at a time, and leaves it before it is destroyed.
template <typename Item>
class list_links {
  friend class intrusive_list<Item>;
  intrusive_list<Item>* list_ = nullptr;
  Item* ahead_ = nullptr;
  Item* behind_ = nullptr;
};

// borrows: its items.
template <typename Item>
class intrusive_list {
 public:
  intrusive_list() = default;
  intrusive_list(const intrusive_list&) = delete;
  intrusive_list& operator=(const intrusive_list&) = delete;

  bool empty() const { return first_ == nullptr; }
  std::size_t size() const { return size_; }
  Item& front() const { return *first_; }

  void push_back(Item& what) { insert(what, last_, nullptr); }
  void push_front(Item& what) { insert(what, nullptr, first_); }

  // From the list that it is in; no effect if it is in none.
  static void remove(Item& what) {
    intrusive_list* const list = std::exchange(what.links.list_, nullptr);
    if (list == nullptr) return;
    list->link(what.links.ahead_, what.links.behind_);
    --list->size_;
  }
  // Whether it is in a list.
  static bool is_listed(const Item& what) { return what.links.list_ != nullptr; }

 private:
  void insert(Item& what, Item* ahead, Item* behind) {
    onceward_assert(!is_listed(what));
    what.links.list_ = this;
    link(ahead, &what);
    link(&what, behind);
    ++size_;
  }

  // Makes two neighbours; null stands for the list's own end.
  void link(Item* ahead, Item* behind) {
    (ahead == nullptr ? first_ : ahead->links.behind_) = behind;
    (behind == nullptr ? last_ : behind->links.ahead_) = ahead;
  }

  Item* first_ = nullptr;
  Item* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace onceward::base
