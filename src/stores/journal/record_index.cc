#include "stores/journal/record_index.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/assert.h"

namespace onceward::journal {
namespace {

std::uint64_t bytes_of(const shared_bytes& blob) {
  return blob == nullptr ? 0 : blob->size() + sizeof(std::string);
}

// How many of a shard's records are kept that nobody has asked for since their outcome. A second request for one is
// rare, and comes seconds later, if at all: a memory that would hold it under load is one that the processor's cache
// does not, and then each first execution pays for it.
constexpr std::size_t lately_written_max = 8;
// As many may be kept until the shard's next record is made.
constexpr std::size_t lately_written_limit = 4 * lately_written_max;

std::uint64_t weigh(const core::record& kept) {
  std::uint64_t bytes = sizeof(slot) + bytes_of(kept.fingerprint);
  if (const auto* done = std::get_if<core::state_completed>(&kept.state)) {
    bytes += bytes_of(done->response) + bytes_of(done->tombstone);
  }
  return bytes;
}

bool has_response(const core::record& kept) {
  const auto* done = std::get_if<core::state_completed>(&kept.state);
  return done != nullptr && done->response != nullptr;
}

std::uint32_t short_generation(const segment& in) {
  return static_cast<std::uint32_t>(in.generation % segments_max);
}

void add_live(const location& where) {
  where.in->live_entries.fetch_add(1);
  where.in->live_bytes.fetch_add(where.bytes);
}

void subtract_live(const location& where) {
  // The entry last: a segment without one may be gone the moment after.
  where.in->live_bytes.fetch_sub(where.bytes);
  where.in->live_entries.fetch_sub(1);
}

void move_to(slot& place, const location& where) {
  if (where.in != nullptr && where.in == place.where.in) {
    // One entry lives there before and after.
    where.in->live_bytes.fetch_add(std::uint64_t{where.bytes} - place.where.bytes);
  } else {
    if (where.in != nullptr) add_live(where);
    if (place.where.in != nullptr) subtract_live(place.where);
  }
  place.where = where;
}

}  // namespace

// ---- What is in memory ----------------------------------------------------------------------------------------------

slot& shard::add(const record_key& key, core::record&& now_kept) {
  slot& place = slots_.add(key);
  ++in_flight_;  // As a slot is, until it is told otherwise.
  set(place, std::move(now_kept));
  return place;
}

void shard::set(slot& place, core::record&& now_kept) {
  place.kept = std::move(now_kept);
  set_kind(place, kind_of(place.kept));
  hot_bytes_ -= place.bytes;
  place.bytes = static_cast<std::uint32_t>(weigh(place.kept));
  hot_bytes_ += place.bytes;
}

const core::record* shard::current(slot& place, wall_time now) {
  if (now < core::changes_at(place.kept)) return &place.kept;
  std::optional<core::record> kept = core::as_of(place.kept, now);
  if (!kept) return nullptr;
  const bool is_as_it_was = kind_of(*kept) == place.kind && has_response(*kept) == has_response(place.kept);
  if (!is_as_it_was) set(place, *std::move(kept));
  return &place.kept;
}

void shard::note_written(slot& place, state_kind kind, location where) {
  onceward_assert(place.changes_pending > 0);
  --place.changes_pending;
  move_to(place, where);
  place.kind_written = kind;
  if (!may_cool(place) || slot_line::is_listed(place)) return;
  place.asked_for = false;
  lately_written_.push_back(place);
}

void shard::erase(slot& place) {
  onceward_assert(place.changes_pending == 0);
  move_to(place, {});
  hot_bytes_ -= place.bytes;
  set_kind(place, state_kind::in_flight);
  --in_flight_;
  slots_.erase(place);
}

void shard::cool(std::uint64_t bytes) {
  while (lately_written_.size() >= lately_written_max || (hot_bytes_ > bytes && !lately_written_.empty()))
    take_turn(lately_written_);
  // Twice: the first time, all may have been asked for.
  for (std::size_t left = 2 * asked_for_.size(); hot_bytes_ > bytes && left > 0 && !asked_for_.empty(); --left)
    take_turn(asked_for_);
}

bool shard::must_cool(std::uint64_t bytes) const {
  return hot_bytes_ > bytes || lately_written_.size() > lately_written_limit;
}

void shard::take_turn(slot_line& line) {
  slot& place = line.front();
  slot_line::remove(place);
  // One that has changed since comes into line again when that is in the log.
  if (!may_cool(place)) return;
  if (std::exchange(place.asked_for, false)) return asked_for_.push_back(place);
  let_go(place);
}

// What is not in the log as it is in memory stays.
bool shard::may_cool(const slot& place) const {
  return place.changes_pending == 0 && place.kind_written != state_kind::in_flight;
}

void shard::let_go(slot& place) {
  insert_cold(tag_of(place.key), place.kind_written, core::expiry(place.kept).value_or(wall_time::max()), place.where);
  // Its entry lives on.
  place.where = {};
  erase(place);
}

// ---- What is in the log only ----------------------------------------------------------------------------------------

std::vector<location> shard::cold_of(const record_key& key, wall_time now, segment_set& in) const {
  std::vector<location> found;
  for (const cold_record& each : cold_.all_of(tag_of(key))) {
    if (each.expires_at <= now) continue;
    found.push_back({in.kept(each.segment), each.offset, static_cast<std::uint32_t>(each.bytes)});
  }
  std::sort(found.begin(), found.end(), [](const location& left, const location& right) {
    if (left.in != right.in) return left.in->generation > right.in->generation;
    return left.offset > right.offset;
  });
  return found;
}

bool shard::is_cold_at(const record_key& key, const location& where) const {
  return cold_.find(tag_of(key), short_generation(*where.in), where.offset).has_value();
}

void shard::note_found(const index_note& what, const segment& in) {
  cold_.insert({.tag = what.key.tag(),
                .segment = short_generation(in),
                .offset = what.offset,
                .bytes = what.bytes,
                .kind = what.kind,
                .expires_at = what.expires_at});
}

void shard::insert_cold(std::uint32_t tag, state_kind kind, wall_time expires_at, const location& where) {
  cold_.insert({.tag = tag,
                .segment = short_generation(*where.in),
                .offset = where.offset,
                .bytes = where.bytes,
                .kind = kind,
                .expires_at = expires_at});
}

void shard::forget_cold(std::uint32_t tag, segment& in, std::uint32_t offset) {
  const auto found = cold_.find(tag, short_generation(in), offset);
  if (!found) return;
  cold_.erase(tag, found->segment, offset);
  subtract_live({&in, offset, static_cast<std::uint32_t>(found->bytes)});
}

slot* shard::warm(const record_key& key, const location& where, core::record kept) {
  const auto found = cold_.find(tag_of(key), short_generation(*where.in), where.offset);
  if (!found) return nullptr;
  slot& place = add(key, std::move(kept));
  place.kind_written = found->kind;
  move_to(place, where);
  forget_cold(found->tag, *where.in, where.offset);
  if (may_cool(place)) asked_for_.push_back(place);
  return &place;
}

// ---- Both -----------------------------------------------------------------------------------------------------------

bool shard::move(const record_key& key, const location& from, const location& to) {
  if (slot* const place = find(key); place != nullptr && place->where == from) {
    move_to(*place, to);
    return true;
  }
  const auto found = cold_.find(tag_of(key), short_generation(*from.in), from.offset);
  if (!found) return false;
  insert_cold(found->tag, found->kind, found->expires_at, to);
  add_live(to);
  forget_cold(found->tag, *from.in, from.offset);
  return true;
}

std::uint64_t shard::erase_expired(wall_time now, segment_set& in, std::uint64_t& space_held) {
  std::uint64_t erased = 0;
  slots_.for_each([&](slot& place) {
    const bool expired = current(place, now) == nullptr;
    if (expired && place.changes_pending == 0 && place.kind_written != state_kind::in_flight) {
      space_held += place.space_held;
      erase(place);
      ++erased;
    }
  });
  return erased + cold_.erase_if([&](const cold_record& each) {
    if (each.expires_at > now) return false;
    subtract_live({in.kept(each.segment), each.offset, static_cast<std::uint32_t>(each.bytes)});
    return true;
  });
}

std::uint64_t shard::unknown(wall_time now) const {
  std::uint64_t count = unknown_ + cold_.unknown();
  if (in_flight_ == 0) return count;
  slots_.for_each([&](const slot& place) {
    if (place.kind != state_kind::in_flight) return;
    const auto kept = core::as_of(place.kept, now);
    if (kept && std::holds_alternative<core::state_unknown>(kept->state)) ++count;
  });
  return count;
}

void shard::set_kind(slot& place, state_kind kind) {
  if (place.kind == state_kind::in_flight) --in_flight_;
  if (place.kind == state_kind::unknown) --unknown_;
  place.kind = kind;
  if (kind == state_kind::in_flight) ++in_flight_;
  if (kind == state_kind::unknown) ++unknown_;
}

}  // namespace onceward::journal
