// A hash map from 64-bit keys to 32-bit values that only grows: what a memo needs, without a node for each entry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace onceward::model {

class flat_map {
 public:
  // Key 0 is not a key.
  const std::uint32_t* find(std::uint64_t key) const {
    for (std::size_t at = place_of(key);; at = (at + 1) & mask()) {
      if (entries_[at].key == key) return &entries_[at].value;
      if (entries_[at].key == 0) return nullptr;
    }
  }

  void insert(std::uint64_t key, std::uint32_t value) {
    if ((size_ + 1) * 3 > entries_.size() * 2) grow();
    ++size_;
    place(key, value);
  }

  std::size_t size() const { return size_; }

 private:
  struct entry {
    std::uint64_t key = 0;
    std::uint32_t value = 0;
  };

  std::size_t mask() const { return entries_.size() - 1; }
  std::size_t place_of(std::uint64_t key) const { return (key * 0x9e3779b97f4a7c15ull >> 20) & mask(); }

  void place(std::uint64_t key, std::uint32_t value) {
    std::size_t at = place_of(key);
    while (entries_[at].key != 0)
      at = (at + 1) & mask();
    entries_[at] = {key, value};
  }

  void grow() {
    std::vector<entry> old(entries_.size() * 2);
    old.swap(entries_);
    for (const entry& each : old) {
      if (each.key != 0) place(each.key, each.value);
    }
  }

  std::vector<entry> entries_ = std::vector<entry>(1024);
  std::size_t size_ = 0;
};

}  // namespace onceward::model
