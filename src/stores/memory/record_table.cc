#include "stores/memory/record_table.h"

#include <algorithm>
#include <utility>

namespace onceward::memory_store {
namespace {

// A record without its blobs: the map's node, its places in the two side tables, and the allocator's rounding.
constexpr std::uint64_t record_overhead_bytes = sizeof(core::record) + sizeof(record_key) + 160;

std::uint64_t bytes_of(const shared_bytes& blob) {
  return blob == nullptr ? 0 : blob->size() + sizeof(std::string);
}

std::uint64_t weigh(const core::record& kept) {
  std::uint64_t bytes = record_overhead_bytes + bytes_of(kept.fingerprint);
  if (const auto* done = std::get_if<core::state_completed>(&kept.state)) {
    bytes += bytes_of(done->response) + bytes_of(done->tombstone);
  }
  return bytes;
}

// When to look at the record next. A lease may be renewed meanwhile; then it is looked at again.
wall_time due_of(const core::record& kept) {
  if (const auto* running = std::get_if<core::state_in_flight>(&kept.state)) return running->lease_end + kept.retention;
  return *core::expiry(kept);
}

}  // namespace

record_table::record_table(std::uint64_t completion_bytes_reserved)
    : completion_bytes_reserved_(completion_bytes_reserved) {}

reply record_table::apply(const claim& what, wall_time now, fence next, bool has_room) {
  core::decision decided = core::decide(current(what.key, now), what, now, next);
  if (decided.after && !has_room) return store_failure{certainty::definite, errc::full};
  return settle(what.key, std::move(decided));
}

reply record_table::apply(const renew& what, wall_time now) {
  return settle(what.key, core::decide(current(what.key, now), what, now));
}

reply record_table::apply(const complete& what, wall_time now) {
  return settle(what.key, core::decide(current(what.key, now), what, now));
}

reply record_table::apply(const release& what, wall_time now) {
  return settle(what.key, core::decide(current(what.key, now), what, now));
}

reply record_table::apply(const find& what, wall_time now) {
  const core::record* kept = current(what.key, now);
  if (kept == nullptr) return record_absent{};
  return core::describe(*kept, now);
}

void record_table::list_unknown(const record_key& after, std::size_t limit, wall_time now,
                                std::vector<unknown_listed::item>& items) const {
  std::vector<unknown_listed::item> found;
  for (const auto& [key, place] : records_) {
    if (key <= after) continue;
    const auto kept = core::as_of(place.kept, now);
    if (!kept || !std::holds_alternative<core::state_unknown>(kept->state)) continue;
    found.push_back({key, core::summarise(*kept)});
  }
  const auto end = found.begin() + static_cast<std::ptrdiff_t>(std::min(limit, found.size()));
  std::partial_sort(found.begin(), end, found.end(),
                    [](const auto& left, const auto& right) { return left.key < right.key; });
  items.insert(items.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(end));
}

std::size_t record_table::expire(wall_time now, std::size_t records_max) {
  std::size_t expired = 0;
  while (expired < records_max && !due_.empty() && due_.front().due <= now) {
    std::pop_heap(due_.begin(), due_.end(), later{});
    const due_item item = due_.back();
    due_.pop_back();
    const auto found = records_.find(item.key);
    if (found == records_.end() || found->second.due != item.due) continue;
    if (current(item.key, now) == nullptr) {
      ++expired;
      continue;
    }
    found->second.due = wall_time::max();
    schedule(item.key, found->second);
  }
  return expired;
}

std::uint64_t record_table::records_unknown(wall_time now) const {
  const auto ran_out = std::count_if(in_flight_.begin(), in_flight_.end(), [&](const record_key& key) {
    const auto kept = core::as_of(records_.at(key).kept, now);
    return kept && std::holds_alternative<core::state_unknown>(kept->state);
  });
  return unknown_ + static_cast<std::uint64_t>(ran_out);
}

std::uint64_t record_table::bytes_to_claim(const claim& what) const {
  return record_overhead_bytes + bytes_of(what.fingerprint) + completion_bytes_reserved_;
}

const core::record* record_table::current(const record_key& key, wall_time now) {
  const auto found = records_.find(key);
  if (found == records_.end()) return nullptr;
  slot& place = found->second;
  if (now < core::changes_at(place.kept)) return &place.kept;
  std::optional<core::record> kept = core::as_of(place.kept, now);
  if (!kept) {
    uncount(key, place.kept);
    records_.erase(found);
    return nullptr;
  }
  if (kept->state.index() != place.kept.state.index() || weigh(*kept) != weigh(place.kept)) {
    uncount(key, place.kept);
    place.kept = *std::move(kept);
    count(key, place.kept);
  }
  return &place.kept;
}

reply record_table::settle(const record_key& key, core::decision decided) {
  if (decided.after) put(key, *std::move(decided.after));
  return std::move(decided.answer);
}

void record_table::put(const record_key& key, core::record after) {
  const auto [found, is_new] = records_.try_emplace(key);
  slot& place = found->second;
  if (is_new) {
    place.due = wall_time::max();
  } else {
    uncount(key, place.kept);
  }
  place.kept = std::move(after);
  count(key, place.kept);
  schedule(key, place);
}

void record_table::schedule(const record_key& key, slot& place) {
  const wall_time due = due_of(place.kept);
  if (due >= place.due) return;
  place.due = due;
  due_.push_back({due, key});
  std::push_heap(due_.begin(), due_.end(), later{});
}

void record_table::count(const record_key& key, const core::record& kept) {
  bytes_ += weigh(kept);
  if (std::holds_alternative<core::state_in_flight>(kept.state)) in_flight_.insert(key);
  if (std::holds_alternative<core::state_unknown>(kept.state)) ++unknown_;
}

void record_table::uncount(const record_key& key, const core::record& kept) {
  bytes_ -= weigh(kept);
  if (std::holds_alternative<core::state_in_flight>(kept.state)) in_flight_.erase(key);
  if (std::holds_alternative<core::state_unknown>(kept.state)) --unknown_;
}

}  // namespace onceward::memory_store
