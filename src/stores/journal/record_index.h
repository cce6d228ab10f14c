// Where every record is: in memory as it stands, or in the log only; in shards, each under its own lock.
//
// A slot's record may run ahead of the log: a change is made in memory when it is decided and counted as pending until
// it is durable. Whoever answers from a slot with a pending change must not answer before that change is durable.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "core/record.h"
#include "stores/journal/entry.h"
#include "stores/journal/segments.h"

namespace onceward::journal {

// An entry in the log. The segment lives as long as a slot points into it.
struct location {
  segment* in = nullptr;  // Null: not in the log yet.
  std::uint32_t offset = 0;
  std::uint32_t bytes = 0;
  friend bool operator==(const location&, const location&) = default;
};

struct slot {
  std::shared_ptr<const core::record> hot;          // Null: read it from `where`.
  location where;                                   // The latest durable entry.
  wall_time expires_at{};                           // Of the entry at `where`, unless that is in flight.
  std::uint64_t space_held = 0;                     // Promised for the outcome of a claim in flight.
  std::uint32_t changes_pending = 0;                // Entries on their way into the log.
  state_kind kind = state_kind::in_flight;          // Of the record.
  state_kind kind_written = state_kind::in_flight;  // Of the entry at `where`.
  bool may_cool = false;                            // Has its place in the shard's order of cooling.
};

// Every function, and everything that is reached through a shard, is used under `mutex`.
class shard {
 public:
  std::mutex mutex;

  // Null if there is no record. A slot stays where it is until it is erased.
  slot* find(const record_key& key);
  // The slot of the key, made if need be, with `now_kept` as its record.
  slot& put(const record_key& key, std::shared_ptr<const core::record> now_kept);
  // The hot record of `place` as it is now, valid until it changes, or null if it has expired. A lease that has run out
  // is noted.
  const core::record* current(const record_key& key, slot& place, wall_time now);

  // The entry of `written` is durable at `where`.
  void note_written(const record_key& key, slot& place, const core::record& written, location where);
  // An entry was found in the log; it is the latest of its key so far.
  void note_found(const entry_head& found, location where);
  // The record was read from the log.
  void warm(const record_key& key, slot& place, std::shared_ptr<const core::record> kept);

  // Forgets records that have expired, in the log as well. Returns how many; adds the space they held to `space_held`.
  std::uint64_t erase_expired(wall_time now, std::uint64_t& space_held);
  void erase(const record_key& key);

  // Lets go of hot records, those longest hot first, until at most `bytes` are kept or none can be let go.
  void cool(std::uint64_t bytes);

  std::size_t size() const { return slots_.size(); }
  std::uint64_t unknown(wall_time now) const;
  void for_each(const std::function<void(const record_key&, slot&)>& visit);

 private:
  void set_hot(slot& place, std::shared_ptr<const core::record> kept);
  // The slot of the key, made if need be, with `kind` as its record's.
  slot& obtain(const record_key& key, state_kind kind);
  void set_kind(const record_key& key, slot& place, state_kind kind);
  void count(const record_key& key, state_kind kind);
  void uncount(const record_key& key, state_kind kind);
  void move_to(slot& place, location where);

  std::unordered_map<record_key, slot, core::record_key_index> slots_;
  std::unordered_set<record_key, core::record_key_index> in_flight_;
  std::uint64_t unknown_ = 0;
  std::uint64_t hot_bytes_ = 0;
  std::deque<record_key> cooling_;  // Longest hot first.
};

class record_index {
 public:
  static constexpr std::size_t shard_count = 64;

  shard& of(const record_key& key) { return shards_[std::to_integer<std::size_t>(key.bytes.back()) % shard_count]; }
  std::array<shard, shard_count>& shards() { return shards_; }

 private:
  std::array<shard, shard_count> shards_;
};

}  // namespace onceward::journal
