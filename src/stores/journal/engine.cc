#include "stores/journal/engine.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "stores/journal/batch.h"
#include "stores/journal/entry.h"

namespace onceward::journal {
namespace {

core::decision decide_by_the_rules(const claim& what, const core::record* before, wall_time now,
                                   std::atomic<std::uint64_t>& fence_granted) {
  // All threads draw from one counter; replays keep away from it.
  const bool draws = core::may_be_granted(before);
  return core::decide(before, what, now, draws ? fence{fence_granted.fetch_add(1) + 1} : fence{});
}

core::decision decide_by_the_rules(const find&, const core::record* before, wall_time now,
                                   std::atomic<std::uint64_t>&) {
  return {before == nullptr ? record_absent{} : core::describe(*before, now), std::nullopt};
}

template <typename Command>
core::decision decide_by_the_rules(const Command& what, const core::record* before, wall_time now,
                                   std::atomic<std::uint64_t>&) {
  return core::decide(before, what, now);
}

answer answer_to(addressee by, reply value) {
  return {by.sink, by.tag, std::move(value)};
}

change change_of(shard& home, slot& place, std::uint64_t space_promised, addressee by) {
  return {.home = &home,
          .place = &place,
          .expires_at = core::expiry(place.kept).value_or(wall_time::max()),
          .space_promised = space_promised,
          .sink = by.sink,
          .tag = by.tag,
          .granted = std::nullopt,
          .kind = place.kind};
}

// What an entry takes if it has a batch to itself.
std::uint64_t disk_bytes_alone(std::uint64_t entry_bytes) {
  return disk_bytes_of(batch_header_bytes + entry_bytes);
}

}  // namespace

engine::engine(segment_set& segments_, std::function<wall_time()> now_, std::uint64_t cache_bytes,
               std::uint64_t completion_bytes_reserved)
    : segments(segments_),
      now(std::move(now_)),
      hot_bytes_each(cache_bytes / shard_count),
      completion_bytes_reserved_(completion_bytes_reserved) {}

template <typename Command>
void engine::decide(Command& what, addressee by, without_space otherwise, const cold_reading* read, begin when) {
  aftermath after;
  {
    shard& home = index.of(what.key);
    const std::lock_guard hold(home.mutex);
    decide_locked(home, what, by, otherwise, read, after);
  }
  finish(after, when);
}

template void engine::decide(claim&, addressee, without_space, const cold_reading*, begin);
template void engine::decide(renew&, addressee, without_space, const cold_reading*, begin);
template void engine::decide(complete&, addressee, without_space, const cold_reading*, begin);
template void engine::decide(release&, addressee, without_space, const cold_reading*, begin);
template void engine::decide(find&, addressee, without_space, const cold_reading*, begin);

void engine::decide(request asked, without_space otherwise, const cold_reading* read) {
  std::visit([&](auto& what) { decide(what, {asked.sink, asked.tag}, otherwise, read, begin::now); }, asked.what);
}

// Whether the log may have a record of the key of which nothing is known yet.
bool engine::must_be_read(const shard& home, const record_key& key, wall_time time, const cold_reading* read) {
  if (!home.may_be_cold(key)) return false;
  for (const location& each : home.cold_of(key, time, segments)) {
    if (read == nullptr || std::find(read->others.begin(), read->others.end(), each) == read->others.end()) return true;
  }
  return false;
}

template <typename Command>
void engine::decide_locked(shard& home, Command& what, addressee by, without_space otherwise, const cold_reading* read,
                           aftermath& after) {
  // A new key is looked for in both places, and neither is in the processor's cache.
  if constexpr (std::is_same_v<Command, claim>) home.announce(tag_of(what.key));
  slot* place = home.find(what.key);
  if (place == nullptr && read != nullptr && read->kept) place = home.warm(what.key, read->where, *read->kept);
  const bool pending = place != nullptr && place->changes_pending > 0;
  if (has_failed()) {
    // What was on its way when the journal failed may be on disk.
    const certainty effect = pending ? certainty::indefinite : certainty::definite;
    after.known = answer_to(by, store_failure{effect, errc::io});
    return;
  }

  const wall_time time = now();
  if (place == nullptr && must_be_read(home, what.key, time, read)) {
    after.cold_reader = reads.push({std::move(what), by.sink, by.tag});
    return;
  }
  const core::record* const before = place == nullptr ? nullptr : home.current(*place, time);
  if (place != nullptr) place->asked_for = true;

  core::decision decided = decide_by_the_rules(what, before, time, fence_granted_);
  constexpr bool is_renewal = std::is_same_v<Command, renew>;
  if (decided.after && !is_renewal) return keep_change(home, what, by, decided, place, otherwise, after);
  // A renewal is not written: whoever opens the journal next finds nobody alive who could hold the lease.
  if (decided.after) home.set(*place, *std::move(decided.after));
  if (pending) {
    after.committer = commits.push(answer_to(by, std::move(decided.answer)));
  } else {
    after.known = answer_to(by, std::move(decided.answer));
  }
}

template <typename Command>
void engine::keep_change(shard& home, Command& what, addressee by, core::decision& decided, slot* place,
                         without_space otherwise, aftermath& after) {
  const std::uint64_t entry_bytes = entry_bytes_of(*decided.after);
  const std::uint64_t to_write = disk_bytes_alone(entry_bytes);
  if (to_write > segments.entry_disk_bytes_max()) {
    after.known = answer_to(by, store_failure{certainty::definite, errc::too_large});
    return;
  }
  constexpr bool is_claim = std::is_same_v<Command, claim>;
  // With an outcome as long as an entry can be, a claim fits into what the caretaker makes free.
  const std::uint64_t to_hold =
      is_claim ? std::min(disk_bytes_alone(entry_bytes + completion_bytes_reserved_), segments.entry_disk_bytes_max())
               : 0;
  const std::uint64_t held = place == nullptr ? 0 : place->space_held;
  const std::uint64_t needed = to_write + to_hold;
  if (needed > held && !segments.promise(needed - held, is_claim ? space_kept_back() : 0)) {
    const std::lock_guard hold(caretaker.mutex);
    if (otherwise == without_space::refuse || full || caretaker.end) {
      after.known = answer_to(by, store_failure{certainty::definite, errc::full});
      return;
    }
    caretaker.without_space.push_back({std::move(what), by.sink, by.tag});
    after.caretaker = true;
    return;
  }
  if (held > needed) segments.give_back(held - needed);

  if (place == nullptr) {
    place = &home.add(what.key, *std::move(decided.after));
  } else {
    home.set(*place, *std::move(decided.after));
  }
  place->space_held = to_hold;
  ++place->changes_pending;
  change made = change_of(home, *place, to_write, by);
  if (const auto* granted = std::get_if<claim_granted>(&decided.answer)) made.granted = *granted;
  after.committer = commits.push(made, place->key, place->kept);
  home.cool(hot_bytes_each);
  after.caretaker = is_claim && segments.free_bytes() < space_wanted() && !full;
}

bool engine::has_space_for_claims() const {
  constexpr std::uint64_t common_entry_bytes = 256;
  const std::uint64_t needed =
      disk_bytes_alone(common_entry_bytes) + disk_bytes_alone(common_entry_bytes + completion_bytes_reserved_);
  return segments.free_bytes() >= space_kept_back() + needed;
}

void engine::run(errand asked) {
  if (has_failed()) return give(answer{asked.sink, asked.tag, store_failure{certainty::definite, errc::io}});
  {
    const std::lock_guard hold(caretaker.mutex);
    caretaker.errands.push_back(std::move(asked));
  }
  caretaker.filled.notify_one();
}

void engine::respond_when_durable(answer what) {
  if (commits.push(std::move(what))) commits.wake();
}

void engine::put_and_write(shard& home, slot& place, core::record after) {
  const std::uint64_t to_write = disk_bytes_alone(entry_bytes_of(after));
  home.set(place, std::move(after));
  if (to_write > place.space_held && !segments.promise(to_write - place.space_held, 0)) return;
  if (place.space_held > to_write) segments.give_back(place.space_held - to_write);
  place.space_held = 0;
  ++place.changes_pending;
  if (commits.push(change_of(home, place, to_write, {nullptr, 0}), place.key, place.kept)) commits.wake();
}

bool engine::write_run_out(shard& home, slot& place, wall_time at) {
  if (place.changes_pending > 0 || place.kind_written != state_kind::in_flight) return false;
  core::record kept = place.kept;
  if (const auto* running = std::get_if<core::state_in_flight>(&kept.state)) {
    if (running->lease_end > at) return false;
    const wall_time lease_end = running->lease_end;
    kept = core::abandoned(std::move(kept), lease_end);
  }
  put_and_write(home, place, std::move(kept));
  return true;
}

bool engine::rewrite_durably(rewrite_group group) {
  if (commits.push(std::move(group))) commits.wake();
  return wait_until_durable();
}

bool engine::wait_until_durable() {
  std::promise<bool> passed;
  auto is_durable = passed.get_future();
  if (commits.push(barrier{&passed})) commits.wake();
  if (commit_now) commit_now();
  return is_durable.get();
}

void engine::ask_to_look_around() {
  {
    const std::lock_guard hold(caretaker.mutex);
    caretaker.look_around = true;
  }
  caretaker.filled.notify_one();
}

std::vector<index_note> engine::seal(sealed_segment which) {
  std::vector<index_note> emptied;
  {
    const std::lock_guard hold(caretaker.mutex);
    caretaker.sealed.push_back(std::move(which));
    emptied.swap(caretaker.emptied);
  }
  caretaker.filled.notify_one();
  return emptied;
}

void engine::fail(std::string what) {
  {
    const std::lock_guard hold(failure_mutex_);
    failed_ = true;
    if (!failure_.empty()) return;
    failure_ = what;
  }
  if (on_failure) on_failure(what);
}

std::string engine::failure() const {
  const std::lock_guard hold(failure_mutex_);
  return failure_;
}

void engine::finish(aftermath& after, begin when) {
  if (after.committer && when == begin::now) commits.wake();
  if (after.cold_reader) reads.wake();
  if (after.caretaker) ask_to_look_around();
  if (after.known) give(*std::move(after.known));
}

}  // namespace onceward::journal
