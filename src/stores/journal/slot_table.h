// The records of one shard that are in memory: a hash table of slots, and the lines in which slots wait to be let go.
//
// A slot stays where it is until it is erased. A few that were erased are kept for the next: as a rule a worker's
// thread makes a slot and the committer's erases it, and memory that goes from thread to thread for every request is
// dear.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/intrusive_list.h"
#include "core/record.h"
#include "stores/journal/entry.h"

namespace onceward::journal {

struct segment;

// An entry in the log. The segment lives as long as the index points into it.
struct location {
  segment* in = nullptr;  // Null: not in the log yet.
  std::uint32_t offset = 0;
  std::uint32_t bytes = 0;  // As rounded_entry_bytes() has them.
  friend bool operator==(const location&, const location&) = default;
};

// What is needed to find it, and what the committer writes of a claim, is in its first cache line.
struct alignas(64) slot {
  record_key key;
  location where;                                   // The latest durable entry.
  std::uint32_t changes_pending = 0;                // Entries on their way into the log.
  state_kind kind = state_kind::in_flight;          // Of the record.
  state_kind kind_written = state_kind::in_flight;  // Of the entry at `where`.
  bool asked_for = false;                           // Since it was made, or had its last turn.

 private:
  friend class slot_table;
  slot* next_alike_ = nullptr;  // Of the slots whose keys hash alike, or of the spare ones.

 public:
  base::list_links<slot> links{};  // In the line that it waits in.
  std::uint32_t bytes = 0;         // What it takes in memory.
  std::uint64_t space_held = 0;    // Promised for the outcome of a claim in flight.
  core::record kept{};
};

// Slots that wait to be let go, the one whose turn is next first.
using slot_line = base::intrusive_list<slot>;

class slot_table {
 public:
  slot_table() = default;
  slot_table(const slot_table&) = delete;
  slot_table& operator=(const slot_table&) = delete;
  ~slot_table();

  std::size_t size() const { return size_; }
  // Null if there is none.
  slot* find(const record_key& key) const;
  // A new one; there is none with this key.
  slot& add(const record_key& key);
  void erase(slot& which);

  // `visit` adds nothing, and may erase what it is shown.
  template <typename Visit>
  void for_each(const Visit& visit) const {
    for (slot* each : buckets_) {
      while (each != nullptr) {
        slot* const next = each->next_alike_;
        visit(*each);
        each = next;
      }
    }
  }

 private:
  slot*& bucket_of(const record_key& key) { return buckets_[index_of(key)]; }
  std::size_t index_of(const record_key& key) const;
  void grow();

  std::vector<slot*> buckets_;  // A power of two of them, or none.
  std::size_t size_ = 0;
  slot* spare_ = nullptr;
  std::size_t spares_ = 0;
};

}  // namespace onceward::journal
