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

// A slot with its key, in a node of the map, and the key's place in a line.
constexpr std::uint64_t slot_bytes = sizeof(slot) + 2 * sizeof(record_key) + 4 * sizeof(void*);

constexpr std::size_t idle_places_max = 64;

// How many of a shard's records are kept that nobody has asked for since their outcome. A second request for one is
// rare, and comes seconds later, if at all: a memory that would hold it under load is one that the processor's cache
// does not, and then each first execution pays for it.
constexpr std::size_t lately_written_max = 8;

std::uint64_t weigh(const core::record& kept) {
  std::uint64_t bytes = slot_bytes + sizeof(core::record) + bytes_of(kept.fingerprint);
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
  // First what is new: the segment may be the same.
  if (where.in != nullptr) add_live(where);
  if (place.where.in != nullptr) subtract_live(place.where);
  place.where = where;
}

}  // namespace

// ---- What is in memory ----------------------------------------------------------------------------------------------

slot* shard::find(const record_key& key) {
  const auto found = slots_.find(key);
  return found == slots_.end() ? nullptr : &found->second;
}

slot& shard::put(const record_key& key, std::shared_ptr<const core::record> now_kept) {
  const state_kind kind = kind_of(*now_kept);
  const auto [found, is_new] = slots_.try_emplace(key);
  slot& place = found->second;
  if (is_new) ++in_flight_;  // As a slot is, until it is told otherwise.
  set_kind(place, kind);
  set_hot(place, std::move(now_kept));
  return place;
}

const core::record* shard::current(slot& place, wall_time now) {
  if (now < core::changes_at(*place.hot)) return place.hot.get();
  std::optional<core::record> kept = core::as_of(*place.hot, now);
  if (!kept) return nullptr;
  const state_kind kind = kind_of(*kept);
  if (kind == place.kind && has_response(*kept) == has_response(*place.hot)) return place.hot.get();
  set_kind(place, kind);
  set_hot(place, std::make_shared<const core::record>(*std::move(kept)));
  return place.hot.get();
}

void shard::note_written(const record_key& key, slot& place, state_kind kind, location where) {
  onceward_assert(place.changes_pending > 0);
  --place.changes_pending;
  move_to(place, where);
  place.kind_written = kind;
  if (!may_cool(place) || place.in_line) return;
  place.asked_for = false;
  line_up(key, place, lately_written_);
}

void shard::erase(const record_key& key) {
  const auto found = slots_.find(key);
  slot& place = found->second;
  onceward_assert(place.changes_pending == 0);
  move_to(place, {});
  set_hot(place, nullptr);
  set_kind(place, state_kind::in_flight);
  --in_flight_;
  slots_.erase(found);
}

void shard::for_each_slot(const std::function<void(const record_key&, slot&)>& visit) {
  for (auto& [key, place] : slots_)
    visit(key, place);
}

void shard::line_up(const record_key& key, slot& place, std::deque<record_key>& line) {
  // Records that have been erased keep their places in the line; not too many.
  if (line.size() > 2 * slots_.size() + idle_places_max) {
    std::erase_if(line, [&](const record_key& each) { return find(each) == nullptr || !find(each)->in_line; });
  }
  place.in_line = true;
  line.push_back(key);
}

void shard::cool(std::uint64_t bytes) {
  while (lately_written_.size() > lately_written_max || (hot_bytes_ > bytes && !lately_written_.empty()))
    take_turn(lately_written_);
  // Twice: the first time, all may have been asked for.
  for (std::size_t left = 2 * asked_for_.size(); hot_bytes_ > bytes && left > 0 && !asked_for_.empty(); --left)
    take_turn(asked_for_);
}

void shard::take_turn(std::deque<record_key>& line) {
  const record_key key = line.front();
  line.pop_front();
  slot* const place = find(key);
  if (place == nullptr || !std::exchange(place->in_line, false)) return;
  // One that has changed since comes into line again when that is in the log.
  if (!may_cool(*place)) return;
  if (std::exchange(place->asked_for, false)) return line_up(key, *place, asked_for_);
  let_go(key, *place);
}

// What is not in the log as it is in memory stays.
bool shard::may_cool(const slot& place) const {
  return place.changes_pending == 0 && place.kind_written != state_kind::in_flight;
}

void shard::let_go(const record_key& key, slot& place) {
  insert_cold(tag_of(key), place.kind_written, core::expiry(*place.hot).value_or(wall_time::max()), place.where);
  erase(key);
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
  add_live(where);
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

slot* shard::warm(const record_key& key, const location& where, std::shared_ptr<const core::record> kept) {
  const auto found = cold_.find(tag_of(key), short_generation(*where.in), where.offset);
  if (!found) return nullptr;
  slot& place = put(key, std::move(kept));
  place.kind_written = found->kind;
  move_to(place, where);
  forget_cold(found->tag, *where.in, where.offset);
  if (may_cool(place)) line_up(key, place, asked_for_);
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
  forget_cold(found->tag, *from.in, from.offset);
  return true;
}

std::uint64_t shard::erase_expired(wall_time now, segment_set& in, std::uint64_t& space_held) {
  std::uint64_t erased = 0;
  for (auto each = slots_.begin(); each != slots_.end();) {
    const auto next = std::next(each);
    slot& place = each->second;
    const bool expired = current(place, now) == nullptr;
    if (expired && place.changes_pending == 0 && place.kind_written != state_kind::in_flight) {
      space_held += place.space_held;
      erase(record_key(each->first));
      ++erased;
    }
    each = next;
  }
  return erased + cold_.erase_if([&](const cold_record& each) {
    if (each.expires_at > now) return false;
    subtract_live({in.kept(each.segment), each.offset, static_cast<std::uint32_t>(each.bytes)});
    return true;
  });
}

std::uint64_t shard::unknown(wall_time now) const {
  std::uint64_t count = unknown_ + cold_.unknown();
  if (in_flight_ == 0) return count;
  for (const auto& [key, place] : slots_) {
    if (place.kind != state_kind::in_flight || place.hot == nullptr) continue;
    const auto kept = core::as_of(*place.hot, now);
    if (kept && std::holds_alternative<core::state_unknown>(kept->state)) ++count;
  }
  return count;
}

void shard::set_hot(slot& place, std::shared_ptr<const core::record> kept) {
  if (place.hot != nullptr) hot_bytes_ -= weigh(*place.hot);
  place.hot = std::move(kept);
  if (place.hot != nullptr) hot_bytes_ += weigh(*place.hot);
}

void shard::set_kind(slot& place, state_kind kind) {
  if (place.kind == state_kind::in_flight) --in_flight_;
  if (place.kind == state_kind::unknown) --unknown_;
  place.kind = kind;
  if (kind == state_kind::in_flight) ++in_flight_;
  if (kind == state_kind::unknown) ++unknown_;
}

}  // namespace onceward::journal
