// The records of one shard that are in the log only: where each is, and what must be known without reading it. Sixteen
// bytes a record, in one array of which seven to nine tenths are taken.
//
// A record key is a MAC, so any of its bits are as good as random. The array is kept in the order of 32 of them (the
// tag), and a record's place follows from its tag alone: what is looked for lies within a cache line or two, and a
// larger array is made by going through the smaller one once. Two keys may have one tag: whoever looks for a key reads
// every record of its tag from the log and compares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "onceward/store.h"
#include "stores/journal/entry.h"
#include "stores/journal/segments.h"

namespace onceward::journal {

// Which of a shard's records it may be.
std::uint32_t tag_of(const record_key& key);

// The length of an entry as the index keeps it: in eight bits, an eighth too long at most.
std::uint64_t rounded_entry_bytes(std::uint64_t bytes);

struct cold_record {
  std::uint32_t tag = 0;
  std::uint32_t segment = 0;  // Its generation modulo segments_max.
  std::uint32_t offset = 0;   // In the segment, below 1 GiB.
  std::uint64_t bytes = 0;    // Of its entry, as rounded_entry_bytes() has them.
  state_kind kind = state_kind::in_flight;
  wall_time expires_at{};  // Half a second late at most; wall_time::max() while in flight.
  friend bool operator==(const cold_record&, const cold_record&) = default;
};

class cold_table {
 public:
  std::size_t size() const { return size_; }
  std::size_t unknown() const { return unknown_; }

  // Makes room for so many records in all, at once.
  void reserve(std::size_t count);

  // What is given is rounded first.
  void insert(const cold_record& what);
  // Only the one that is just there; false if it is not.
  bool erase(std::uint32_t tag, std::uint32_t segment, std::uint32_t offset);
  std::optional<cold_record> find(std::uint32_t tag, std::uint32_t segment, std::uint32_t offset) const;

  // A record with this tag will be inserted soon: its place is fetched from memory meanwhile.
  void prepare(std::uint32_t tag) const {
    if (capacity_ > 0) __builtin_prefetch(&places_[home_of(tag)], 1);
  }

  // All with this tag, in no particular order.
  std::vector<cold_record> all_of(std::uint32_t tag) const;
  bool has_any_of(std::uint32_t tag) const;

  void for_each(const std::function<void(const cold_record&)>& visit) const;
  // Goes through the array once. Returns how many were erased.
  std::size_t erase_if(const std::function<bool(const cold_record&)>& unwanted);

  std::size_t memory_bytes() const { return places_.capacity() * sizeof(place); }

 private:
  // Tag, segment, length and kind; offset and expiry. All zero where there is none: no kind is zero.
  struct place {
    std::uint64_t what = 0;
    std::uint64_t where_until = 0;
    bool is_free() const { return what == 0; }
    std::uint32_t tag() const { return static_cast<std::uint32_t>(what >> 32); }
    state_kind kind() const { return state_kind{static_cast<std::uint8_t>(what & 7)}; }
  };

  static place packed(const cold_record& what);
  static cold_record unpacked(const place& what);
  static bool is_at(const place& each, std::uint32_t segment, std::uint32_t offset);

  // Where a record with this tag would be if all places before were free.
  std::size_t home_of(std::uint32_t tag) const;
  // The first place with this tag, or where it would have to be.
  std::size_t first_of(std::uint32_t tag) const;
  void erase_at(std::size_t index);
  void resize(std::size_t capacity);
  void add_overflow();
  void count(const place& what, int by);

  std::vector<place> places_;
  std::size_t capacity_ = 0;  // Homes; behind them is room for what does not find one.
  std::size_t size_ = 0;
  std::size_t unknown_ = 0;
};

}  // namespace onceward::journal
