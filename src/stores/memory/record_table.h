// The records of the memory store, or of one shard of it: a plain value without locks, threads or a clock.
//
// What becomes of a command is decided by core/record.h; the table keeps the records, what they weigh and when they
// expire. Being a value it can be copied, so a simulator or a model checker can use it where the store's threads would
// be in the way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/record.h"
#include "onceward/store.h"

namespace onceward::memory_store {

class record_table {
 public:
  // `completion_bytes_reserved` is what a claim in flight weighs for the outcome that is to come.
  explicit record_table(std::uint64_t completion_bytes_reserved);

  // Each answers as store.h says for its command. A claim that would be granted while `has_room` is false is refused:
  // definite, errc::full. `next` is larger than any fence granted before.
  reply apply(const claim& what, wall_time now, fence next, bool has_room);
  reply apply(const renew& what, wall_time now);
  reply apply(const complete& what, wall_time now);
  reply apply(const release& what, wall_time now);
  reply apply(const find& what, wall_time now);

  // Adds this table's unknown records after `after` to `items`, the first `limit` in the order of their keys.
  void list_unknown(const record_key& after, std::size_t limit, wall_time now,
                    std::vector<unknown_listed::item>& items) const;

  // Deletes expired records, at most `records_max`, and returns how many. Costs nothing when nothing is due.
  std::size_t expire(wall_time now, std::size_t records_max);

  std::uint64_t records() const { return records_.size(); }
  std::uint64_t records_unknown(wall_time now) const;
  // What the records weigh in memory; with what is reserved for claims in flight.
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t bytes_with_reserve() const { return bytes_ + in_flight_.size() * completion_bytes_reserved_; }

  // What a claim adds to bytes_with_reserve() at most.
  std::uint64_t bytes_to_claim(const claim& what) const;

 private:
  friend struct record_table_access;  // The model checker's, which must tell states apart.

  struct slot {
    core::record kept;
    wall_time due;  // Of its one valid place in due_; never later than its expiry.
  };

  struct due_item {
    wall_time due;
    record_key key;
  };
  struct later {
    bool operator()(const due_item& left, const due_item& right) const { return left.due > right.due; }
  };

  // The record as it is now, or null; what time has done to it is kept.
  const core::record* current(const record_key& key, wall_time now);
  reply settle(const record_key& key, core::decision decided);
  void put(const record_key& key, core::record after);
  void schedule(const record_key& key, slot& place);
  void count(const record_key& key, const core::record& kept);
  void uncount(const record_key& key, const core::record& kept);

  std::uint64_t completion_bytes_reserved_;
  std::unordered_map<record_key, slot, core::record_key_index> records_;
  std::unordered_set<record_key, core::record_key_index> in_flight_;
  std::uint64_t unknown_ = 0;  // Without those whose lease ran out unseen; records_unknown() finds these.
  std::uint64_t bytes_ = 0;
  std::vector<due_item> due_;  // A heap by time; items that no slot's `due` agrees with are stale.
};

}  // namespace onceward::memory_store
