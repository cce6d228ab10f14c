// Where every record is: in memory as it stands, or in the log only; in shards, each under its own lock.
//
// A record that is in memory has a slot: one that is claimed, that has a change on its way, or that was used lately. It
// may run ahead of the log: a change is made in memory when it is decided and counted as pending until it is durable.
// Whoever answers from a slot with a pending change must not answer before that change is durable. All other records
// are cold: sixteen bytes in a table say where the log has them. A record has a slot or is cold, never both.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "core/record.h"
#include "stores/journal/cold_table.h"
#include "stores/journal/entry.h"
#include "stores/journal/index_file.h"
#include "stores/journal/segments.h"
#include "stores/journal/slot_table.h"

namespace onceward::journal {

// Every function, and everything that is reached through a shard, is used under `mutex`. In cache lines of its own: two
// threads are as a rule in different shards.
class alignas(64) shard {
 public:
  std::mutex mutex;

  // ---- What is in memory ----

  // Null if the record is not. A slot stays where it is until it is erased or let go.
  slot* find(const record_key& key) { return slots_.find(key); }
  // A slot for a key that has none.
  slot& add(const record_key& key, core::record&& now_kept);
  // Makes `now_kept` the record of `place`.
  void set(slot& place, core::record&& now_kept);
  // The record of `place` as it is now, valid until it changes, or null if it has expired. A lease that has run out is
  // noted.
  const core::record* current(slot& place, wall_time now);
  // An entry with this kind is durable at `where`.
  void note_written(slot& place, state_kind kind, location where);
  void erase(slot& place);
  void for_each_slot(const std::function<void(slot&)>& visit) { slots_.for_each(visit); }

  // Makes room for one more: lets go of records that are in the log as they are in memory, of all but the last few that
  // nobody has asked for since their outcome, and of others until at most `bytes` are kept, those first that were asked
  // for longest ago.
  void cool(std::uint64_t bytes);
  // Whether that cannot wait for the thread that makes the shard's next record, as it does otherwise: memory is best
  // given back by the thread that took it.
  bool must_cool(std::uint64_t bytes) const;

  // ---- What is in the log only ----

  // What may be the key's record and has not expired; latest first.
  std::vector<location> cold_of(const record_key& key, wall_time now, segment_set& in) const;
  bool may_be_cold(const record_key& key) const { return cold_.has_any_of(tag_of(key)); }
  bool is_cold_at(const record_key& key, const location& where) const;
  // That a record with this tag will be looked for or noted in a moment.
  void announce(std::uint32_t tag) const { cold_.prepare(tag); }
  // An entry was found in the log. Whoever finds many counts them by itself, as living in their segment, and announces
  // each a little before.
  void note_found(const index_note& what, const segment& in);
  // It has been superseded. Its length is the index's to know.
  void forget_cold(std::uint32_t tag, segment& in, std::uint32_t offset);
  // The record at `where` was read, and has a slot from now on. Null if it is not there any more.
  slot* warm(const record_key& key, const location& where, core::record kept);
  // Room for so many more, so that it is not made bit by bit.
  void expect_cold(std::size_t more) { cold_.reserve(cold_.size() + more); }
  void for_each_cold(const std::function<void(const cold_record&)>& visit) const { cold_.for_each(visit); }

  // ---- Both ----

  // The entry at `from` has a copy at `to`, which is the latest of its key from now on. False if it is not there any
  // more.
  bool move(const record_key& key, const location& from, const location& to);

  // Forgets records that have expired, in the log as well. Returns how many; adds the space they held to `space_held`.
  std::uint64_t erase_expired(wall_time now, segment_set& in, std::uint64_t& space_held);

  std::size_t size() const { return slots_.size() + cold_.size(); }
  std::uint64_t unknown(wall_time now) const;

 private:
  void set_kind(slot& place, state_kind kind);
  void take_turn(slot_line& line);
  void insert_cold(std::uint32_t tag, state_kind kind, wall_time expires_at, const location& where);
  bool may_cool(const slot& place) const;
  void let_go(slot& place);

  slot_table slots_;
  cold_table cold_;
  std::uint64_t unknown_ = 0;    // Of the slots.
  std::uint64_t in_flight_ = 0;  // Of the slots.
  std::uint64_t hot_bytes_ = 0;
  // Those that may be let go; the one whose turn is next first.
  slot_line lately_written_;
  slot_line asked_for_;
};

class record_index {
 public:
  shard& of(const record_key& key) { return of(prefix_of(key)); }
  shard& of(key_prefix key) { return shards_[key.shard()]; }
  std::array<shard, shard_count>& shards() { return shards_; }

 private:
  std::array<shard, shard_count> shards_;
};

}  // namespace onceward::journal
