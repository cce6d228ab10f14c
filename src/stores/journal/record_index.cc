#include "stores/journal/record_index.h"

#include <utility>
#include <variant>

#include "base/assert.h"

namespace onceward::journal {
namespace {

std::uint64_t bytes_of(const shared_bytes& blob) {
  return blob == nullptr ? 0 : blob->size() + sizeof(std::string);
}

std::uint64_t weigh(const core::record& kept) {
  std::uint64_t bytes = sizeof(core::record) + bytes_of(kept.fingerprint);
  if (const auto* done = std::get_if<core::state_completed>(&kept.state)) {
    bytes += bytes_of(done->response) + bytes_of(done->tombstone);
  }
  return bytes;
}

bool has_response(const core::record& kept) {
  const auto* done = std::get_if<core::state_completed>(&kept.state);
  return done != nullptr && done->response != nullptr;
}

}  // namespace

slot* shard::find(const record_key& key) {
  const auto found = slots_.find(key);
  return found == slots_.end() ? nullptr : &found->second;
}

slot& shard::put(const record_key& key, std::shared_ptr<const core::record> now_kept) {
  slot& place = obtain(key, kind_of(*now_kept));
  set_hot(place, std::move(now_kept));
  return place;
}

const core::record* shard::current(const record_key& key, slot& place, wall_time now) {
  onceward_assert(place.hot != nullptr);
  if (now < core::changes_at(*place.hot)) return place.hot.get();
  std::optional<core::record> kept = core::as_of(*place.hot, now);
  if (!kept) return nullptr;
  const state_kind kind = kind_of(*kept);
  if (kind == place.kind && has_response(*kept) == has_response(*place.hot)) return place.hot.get();
  set_kind(key, place, kind);
  set_hot(place, std::make_shared<const core::record>(*std::move(kept)));
  return place.hot.get();
}

void shard::note_written(const record_key& key, slot& place, const core::record& written, location where) {
  onceward_assert(place.changes_pending > 0);
  --place.changes_pending;
  move_to(place, where);
  place.kind_written = kind_of(written);
  place.expires_at = core::expiry(written).value_or(wall_time::max());
  if (place.hot == nullptr || place.may_cool || place.kind_written == state_kind::in_flight) return;
  place.may_cool = true;
  cooling_.push_back(key);
}

void shard::note_found(const entry_head& found, location where) {
  slot& place = obtain(found.key, found.kind);
  move_to(place, where);
  place.kind_written = found.kind;
  place.expires_at = found.expires_at.value_or(wall_time::max());
}

void shard::warm(const record_key& key, slot& place, std::shared_ptr<const core::record> kept) {
  onceward_assert(place.hot == nullptr);
  set_hot(place, std::move(kept));
  if (place.may_cool) return;
  place.may_cool = true;
  cooling_.push_back(key);
}

std::uint64_t shard::erase_expired(wall_time now, std::uint64_t& space_held) {
  std::uint64_t erased = 0;
  for (auto each = slots_.begin(); each != slots_.end();) {
    const auto next = std::next(each);
    slot& place = each->second;
    const bool expired = place.hot != nullptr ? current(each->first, place, now) == nullptr : place.expires_at <= now;
    if (expired && place.changes_pending == 0 && place.kind_written != state_kind::in_flight) {
      space_held += place.space_held;
      erase(each->first);
      ++erased;
    }
    each = next;
  }
  return erased;
}

void shard::erase(const record_key& key) {
  const auto found = slots_.find(key);
  slot& place = found->second;
  onceward_assert(place.changes_pending == 0);
  uncount(key, place.kind);
  set_hot(place, nullptr);
  move_to(place, {});
  slots_.erase(found);
}

void shard::cool(std::uint64_t bytes) {
  while (hot_bytes_ > bytes && !cooling_.empty()) {
    slot* const place = find(cooling_.front());
    cooling_.pop_front();
    if (place == nullptr || !place->may_cool) continue;
    place->may_cool = false;
    // What is not in the log as it is in memory stays, and gets its place again when it is.
    if (place->changes_pending == 0 && place->kind_written != state_kind::in_flight) set_hot(*place, nullptr);
  }
}

std::uint64_t shard::unknown(wall_time now) const {
  std::uint64_t count = unknown_;
  for (const record_key& key : in_flight_) {
    const auto kept = core::as_of(*slots_.at(key).hot, now);
    if (kept && std::holds_alternative<core::state_unknown>(kept->state)) ++count;
  }
  return count;
}

void shard::for_each(const std::function<void(const record_key&, slot&)>& visit) {
  for (auto& [key, place] : slots_)
    visit(key, place);
}

void shard::set_hot(slot& place, std::shared_ptr<const core::record> kept) {
  if (place.hot != nullptr) hot_bytes_ -= weigh(*place.hot);
  place.hot = std::move(kept);
  if (place.hot != nullptr) hot_bytes_ += weigh(*place.hot);
}

slot& shard::obtain(const record_key& key, state_kind kind) {
  const auto [found, is_new] = slots_.try_emplace(key);
  slot& place = found->second;
  if (is_new) {
    place.kind = kind;
    count(key, kind);
  } else {
    set_kind(key, place, kind);
  }
  return place;
}

void shard::set_kind(const record_key& key, slot& place, state_kind kind) {
  if (place.kind == kind) return;
  uncount(key, place.kind);
  place.kind = kind;
  count(key, kind);
}

void shard::count(const record_key& key, state_kind kind) {
  if (kind == state_kind::in_flight) in_flight_.insert(key);
  if (kind == state_kind::unknown) ++unknown_;
}

void shard::uncount(const record_key& key, state_kind kind) {
  if (kind == state_kind::in_flight) in_flight_.erase(key);
  if (kind == state_kind::unknown) --unknown_;
}

void shard::move_to(slot& place, location where) {
  if (place.where.in != nullptr) {
    // The entry last: a segment without one may be gone the moment after.
    place.where.in->live_bytes.fetch_sub(place.where.bytes);
    place.where.in->live_entries.fetch_sub(1);
  }
  place.where = where;
  if (where.in != nullptr) {
    where.in->live_entries.fetch_add(1);
    where.in->live_bytes.fetch_add(where.bytes);
  }
}

}  // namespace onceward::journal
