#include "stores/journal/caretaker.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "stores/journal/batch.h"
#include "stores/journal/cold_reader.h"
#include "stores/journal/index_file.h"
#include "stores/journal/log_reader.h"
#include "stores/journal/log_scan.h"

namespace onceward::journal {
namespace {

// How often a full journal looks for space by itself: records expire, and disks are cleared.
constexpr std::chrono::seconds retry_when_full{1};

// Beyond this many bytes of log for each live one, old segments are emptied although there is space.
constexpr std::uint64_t log_bytes_per_live_byte_max = 4;
constexpr std::uint64_t segments_always_allowed = 4;

// When space is short, segments are emptied as long as this part of the log does not live.
constexpr std::uint64_t dead_part_min_divisor = 4;

// Live records are moved in groups of at most this size, and each group is durable before the next, so that they come
// between commands and do not hold them up.
constexpr std::uint64_t group_bytes_max = 256u << 10;

// What the batches that a group is spread over take beyond its entries, at most.
constexpr std::uint64_t group_padding_bytes = 4 * block_bytes;

// Forgetting what has expired looks at every record. It is done this often while the log is written anew once.
constexpr std::uint64_t sweeps_per_turnover = 8;

bool is_unknown(shard& home, slot& place, wall_time now) {
  const core::record* const kept = home.current(place, now);
  return kept != nullptr && kind_of(*kept) == state_kind::unknown;
}

}  // namespace

caretaker::caretaker(engine& shared, run_by who) : engine_(shared) {
  if (who == run_by::threads) thread_ = std::thread([this] { run(); });
}

caretaker::~caretaker() {
  {
    const std::lock_guard hold(engine_.caretaker.mutex);
    engine_.caretaker.end = true;
  }
  engine_.caretaker.filled.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  } else {
    step();
  }
}

void caretaker::run() {
  caretaker_mailbox& mail = engine_.caretaker;
  while (!ended_) {
    {
      std::unique_lock hold(mail.mutex);
      const auto is_filled = [&] { return mail.is_filled(); };
      if (engine_.full) {
        mail.filled.wait_for(hold, retry_when_full, is_filled);
      } else {
        mail.filled.wait(hold, is_filled);
      }
    }
    step();
  }
}

void caretaker::step() {
  caretaker_mailbox& mail = engine_.caretaker;
  {
    const std::lock_guard hold(mail.mutex);
    mail.look_around = false;
    ended_ = mail.end;
    waiting_.swap(mail.without_space);
    errands_.swap(mail.errands);
    sealed_.swap(mail.sealed);
  }
  if (!engine_.has_failed() && !ended_) make_space();
  // One that still finds no space waits again, unless there is none to be had.
  for (request& each : waiting_)
    engine_.decide(std::move(each), ended_ ? without_space::refuse : without_space::wait);
  waiting_.clear();
  for (const errand& each : errands_)
    run(each);
  errands_.clear();
  for (const sealed_segment& each : sealed_)
    keep_index(each);
  give_back_notes();
  if (!engine_.has_failed() && !ended_) tidy();
}

void caretaker::keep_index(const sealed_segment& full) {
  const auto of = engine_.segments.sealed(*full.which);
  if (!of || engine_.has_failed()) return;
  // Where it cannot be written, the next opening reads the segment.
  static_cast<void>(engine_.segments.write_index(full.which->where.name, *of, index_of(of->generation, full.notes)));
}

void caretaker::give_back_notes() {
  if (sealed_.empty()) return;
  std::vector<index_note> emptied = std::move(sealed_.back().notes);
  emptied.clear();
  sealed_.clear();
  const std::lock_guard hold(engine_.caretaker.mutex);
  engine_.caretaker.emptied.swap(emptied);
}

// ---- Space ----------------------------------------------------------------------------------------------------------

void caretaker::make_space() {
  bool swept = false;
  std::uint64_t emptied = 0;
  while (engine_.segments.free_bytes() < engine_.space_wanted()) {
    if (retire_dead() || engine_.segments.add_file()) continue;
    if (!std::exchange(swept, true) && forget_expired() > 0) continue;
    const std::uint64_t log_bytes = engine_.segments.kept_count() * engine_.segments.usable_bytes();
    const bool is_worthwhile = engine_.segments.live_bytes() < log_bytes - log_bytes / dead_part_min_divisor;
    // Once round the log at most: what is still not free then lives.
    if (is_worthwhile && emptied++ < engine_.segments.kept_count() && empty_oldest()) continue;
    engine_.full = true;
    return;
  }
  engine_.full = false;
}

void caretaker::tidy() {
  segment_set& segments = engine_.segments;
  const std::uint64_t generation = segments.newest_generation();
  if (generation - swept_at_generation_ > segments.kept_count() / sweeps_per_turnover) forget_expired();
  retire_dead();
  for (std::uint64_t left = segments.kept_count(); left > segments_always_allowed; --left) {
    if (segments.kept_count() * segments.usable_bytes() <= segments.live_bytes() * log_bytes_per_live_byte_max) return;
    if (segments.kept_count() <= segments_always_allowed || !empty_oldest()) return;
  }
}

bool caretaker::retire_dead() {
  bool any = false;
  for (auto oldest = engine_.segments.oldest(); oldest.which != nullptr && oldest.which->live_entries == 0;
       oldest = engine_.segments.oldest()) {
    engine_.segments.retire_oldest();
    any = true;
  }
  return any;
}

std::uint64_t caretaker::forget_expired() {
  const wall_time now = engine_.now();
  for (shard& home : engine_.index.shards()) {
    const std::lock_guard hold(home.mutex);
    home.for_each_slot([&](slot& place) { engine_.write_run_out(home, place, now); });
  }
  engine_.wait_until_durable();

  std::uint64_t forgotten = 0;
  std::uint64_t space_held = 0;
  for (shard& each : engine_.index.shards()) {
    const std::lock_guard hold(each.mutex);
    forgotten += each.erase_expired(now, engine_.segments, space_held);
  }
  engine_.segments.give_back(space_held);
  swept_at_generation_ = engine_.segments.newest_generation();
  return forgotten;
}

// ---- Emptying a segment ---------------------------------------------------------------------------------------------

// Goes through the entries of one segment and has the latest of their keys written again.
class caretaker::emptying {
 public:
  emptying(engine& shared, segment& from)
      : engine_(shared),
        from_(from),
        group_space_max_(std::min(group_bytes_max, shared.segments.usable_bytes() / 4) + group_padding_bytes) {}

  // False if there is no space, or no journal any more.
  bool take(std::uint64_t offset, std::string_view bytes) {
    const auto body = entry_body(bytes, from_.generation);
    auto found = body ? decode_entry(*body) : tl::unexpected(body.error());
    if (!found) return false;
    const location where{&from_, static_cast<std::uint32_t>(offset),
                         static_cast<std::uint32_t>(rounded_entry_bytes(bytes.size()))};
    if (!is_wanted(*found, where)) return true;

    const std::uint64_t space = (bytes.size() / sector_payload_bytes + 1) * sector_bytes;
    if (!group_.entries.empty() && group_.space_promised + space > group_space_max_ && !write()) return false;
    const std::uint64_t padding = group_.entries.empty() ? group_padding_bytes : 0;
    if (!engine_.segments.promise(space + padding, 0)) return false;
    group_.space_promised += space + padding;
    group_.entries.push_back({.key = found->key,
                              .from = where,
                              .kind = kind_of(found->kept),
                              .expires_at = core::expiry(found->kept).value_or(wall_time::max()),
                              .body = std::string(*body)});
    return true;
  }

  // Writes what is left, and waits for everything that superseded an entry meanwhile.
  bool finish() { return (group_.entries.empty() || write()) && engine_.wait_until_durable(); }

 private:
  // Whether the entry is the latest of its key and nothing newer is on its way. An expired record is forgotten instead.
  bool is_wanted(const entry& found, const location& where) {
    shard& home = engine_.index.of(found.key);
    const std::lock_guard hold(home.mutex);
    const wall_time now = engine_.now();
    slot* const place = home.find(found.key);
    if (place == nullptr) {
      if (!home.is_cold_at(found.key, where)) return false;
      if (core::expiry(found.kept).value_or(wall_time::max()) > now) return true;
      home.forget_cold(tag_of(found.key), *where.in, where.offset);
      return false;
    }
    if (place->where != where || place->changes_pending > 0) return false;
    if (engine_.write_run_out(home, *place, now)) return false;
    if (home.current(*place, now) != nullptr) return true;
    engine_.segments.give_back(place->space_held);
    home.erase(*place);
    return false;
  }

  bool write() {
    if (!engine_.rewrite_durably(std::exchange(group_, {}))) return false;
    return true;
  }

  engine& engine_;
  segment& from_;
  const std::uint64_t group_space_max_;  // With the padding.
  rewrite_group group_{};
};

bool caretaker::empty_oldest() {
  const auto oldest = engine_.segments.oldest();
  if (oldest.which == nullptr || oldest.which->generation == unreadable_generation_) return false;
  segment& from = *oldest.which;
  const std::uint64_t bytes = engine_.segments.segment_bytes();
  memory_.reserve(bytes);
  const auto whole = memory_.first(bytes);
  const auto read = from.where.file->read_at(0, whole);

  emptying round(engine_, from);
  bool stopped = false;
  const auto visit = [&](std::size_t, std::uint64_t offset, std::string_view entry) {
    stopped = !round.take(offset, entry);
    return !stopped;
  };
  const segment_bounds bounds{from.generation, from.first_sequence, oldest.next_first_sequence};
  const bool is_read = read && walk_segment(whole, bounds, 0, visit);
  if (!is_read && !stopped) unreadable_generation_ = from.generation;
  return round.finish() && is_read && retire_dead();
}

// ---- Errands --------------------------------------------------------------------------------------------------------

void caretaker::run(const errand& asked) {
  if (engine_.has_failed()) {
    give({asked.sink, asked.tag, store_failure{certainty::definite, errc::io}});
  } else if (const auto* wanted = std::get_if<list_unknown>(&asked.what)) {
    engine_.respond_when_durable({asked.sink, asked.tag, list(*wanted)});
  } else {
    give({asked.sink, asked.tag, purge_expired()});
  }
}

reply caretaker::purge_expired() {
  const std::uint64_t forgotten = forget_expired();
  retire_dead();
  make_space();
  return purged{forgotten};
}

reply caretaker::list(const list_unknown& asked) {
  const wall_time now = engine_.now();
  auto keys = unknown_after(asked, now);
  if (!keys) return store_failure{certainty::definite, keys.error()};
  unknown_listed listed;
  for (const record_key& key : *keys) {
    const auto summary = summarise_unknown(key, now);
    if (!summary) return store_failure{certainty::definite, summary.error()};
    if (*summary) listed.items.push_back({key, **summary});
  }
  return listed;
}

// The keys of cold records have to be read. Their tags are the beginnings of their keys, so no more are read than will
// be listed.
result<std::vector<record_key>> caretaker::unknown_after(const list_unknown& asked, wall_time now) {
  std::vector<record_key> keys;
  std::vector<cold_record> cold;
  for (shard& each : engine_.index.shards()) {
    const std::lock_guard hold(each.mutex);
    each.for_each_slot([&](slot& place) {
      if (asked.after < place.key && is_unknown(each, place, now)) keys.push_back(place.key);
    });
    each.for_each_cold([&](const cold_record& record) {
      const bool is_wanted = record.kind == state_kind::unknown && record.expires_at > now;
      if (is_wanted && record.tag >= tag_of(asked.after)) cold.push_back(record);
    });
  }
  std::sort(keys.begin(), keys.end());
  std::sort(cold.begin(), cold.end(),
            [](const cold_record& left, const cold_record& right) { return left.tag < right.tag; });
  std::vector<record_key> found;
  for (const cold_record& each : cold) {
    const auto before = [&](const record_key& key) { return tag_of(key) < each.tag; };
    if (static_cast<std::size_t>(std::count_if(found.begin(), found.end(), before)) >= asked.limit) break;
    segment& in = *engine_.segments.kept(each.segment);
    const auto read = read_entry(in, {&in, each.offset, static_cast<std::uint32_t>(each.bytes)}, memory_);
    if (!read) return tl::unexpected(read.error());
    if (asked.after < read->key) found.push_back(read->key);
  }
  keys.insert(keys.end(), found.begin(), found.end());
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  if (keys.size() > asked.limit) keys.resize(asked.limit);
  return keys;
}

// Nothing if it is no longer unknown.
result<std::optional<record_summary>> caretaker::summarise_unknown(const record_key& key, wall_time now) {
  shard& home = engine_.index.of(key);
  for (;;) {
    {
      const std::lock_guard hold(home.mutex);
      if (slot* const place = home.find(key)) {
        if (!is_unknown(home, *place, now)) return std::nullopt;
        return core::summarise(place->kept);
      }
    }
    const auto read = read_cold(engine_, key, memory_);
    if (!read) return tl::unexpected(read.error());
    const std::lock_guard hold(home.mutex);
    if (home.find(key) != nullptr) continue;
    if (read->kept && home.is_cold_at(key, read->where)) {
      const auto kept = core::as_of(*read->kept, now);
      if (!kept || kind_of(*kept) != state_kind::unknown) return std::nullopt;
      return core::summarise(*kept);
    }
    if (!read->kept && home.cold_of(key, now, engine_.segments).size() == read->others.size()) {
      return std::nullopt;
    }
  }
}

}  // namespace onceward::journal
