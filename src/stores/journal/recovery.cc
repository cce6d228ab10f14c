#include "stores/journal/recovery.h"

#include <algorithm>
#include <array>
#include <future>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "stores/journal/index_file.h"
#include "stores/journal/log_reader.h"
#include "stores/journal/segment_reading.h"

namespace onceward::journal {
namespace {

// Records; below it, a thread costs more than it helps.
constexpr std::size_t two_threads_from = 4'096;

// Once the log is durable: a power cut must not make a segment of a file again that has been removed.
tl::expected<void, damage> drop_useless_files(scanned_log& found, disk& where, const segment_set& segments) {
  const std::uint64_t ready_max = segments.ready_max(found.segments.size());
  for (const std::string& each : found.unfinished) {
    if (const auto removed = where.remove(each); !removed) {
      return tl::unexpected(damage{errc::io, each, 0, describe(removed.error())});
    }
  }
  for (auto each = found.unused.begin(); each != found.unused.end();) {
    const auto before = static_cast<std::uint64_t>(each - found.unused.begin());
    if (each->bytes == segments.segment_bytes() && before < ready_max) {
      ++each;
      continue;
    }
    if (const auto removed = where.remove(each->name); !removed) {
      return tl::unexpected(damage{errc::io, each->name, 0, describe(removed.error())});
    }
    each = found.unused.erase(each);
  }
  return {};
}

// A process that was killed leaves its last writes where a read finds them and a power cut can still take them: the end
// of the last segment, and the names of files, also of those that were not used yet. What is told from now on must not
// rest on those.
tl::expected<void, damage> make_durable(const scanned_log& found, disk& where) {
  if (!found.segments.empty()) {
    const segment_file& last = found.segments.back().where;
    if (const auto synced = last.file->sync(); !synced) {
      return tl::unexpected(damage{errc::io, last.name, 0, describe(synced.error())});
    }
  }
  if (const auto synced = where.sync_directory(); !synced) {
    return tl::unexpected(damage{errc::io, where.name(), 0, describe(synced.error())});
  }
  return {};
}

// Calls `work` with the ends of two halves of `count` things, on two threads at once.
template <typename Work>
void in_halves(std::size_t count, std::size_t middle, const Work& work) {
  auto other = std::async(std::launch::async, [&] { work(middle, count); });
  work(std::size_t{0}, middle);
  other.get();
}

// Calls `work` with the number of each shard and the shard, held; of many records, two threads take a half each.
template <typename Work>
void for_each_shard(record_index& index, const Work& work) {
  auto& shards = index.shards();
  std::size_t records = 0;
  const auto part = [&](std::size_t begin, std::size_t end) {
    for (std::size_t number = begin; number < end; ++number) {
      const std::lock_guard hold(shards[number].mutex);
      work(number, shards[number]);
    }
  };
  for (shard& each : shards) {
    const std::lock_guard hold(each.mutex);
    records += each.size();
  }
  if (records < two_threads_from) return part(0, shards.size());
  in_halves(shards.size(), shards.size() / 2, part);
}

// Fills the index, one segment after the other, oldest first.
class filling {
 public:
  filling(const scanned_log& found, disk& where, engine& into)
      : found_(found), disk_(where), engine_(into), kept_(into.segments.adopt(found)) {}

  const std::vector<std::shared_ptr<segment>>& kept() const { return kept_; }

  std::optional<index_contents> read_index_of(std::size_t number) const {
    return read_index(disk_, found_.segments[number].where.name, bounds_of(found_, number));
  }

  // As many records as the indexes promise find room made for them.
  void expect() {
    std::int64_t records = 0;
    for (std::size_t number = 0; number + 1 < found_.segments.size(); ++number)
      records += read_index_balance(disk_, found_.segments[number].where.name, bounds_of(found_, number)).value_or(0);
    // No more than the log can have, whatever a header says; and keys fall unevenly.
    const std::uint64_t log_bytes = found_.segments.size() * engine_.segments.segment_bytes();
    const std::uint64_t likely =
        std::min(static_cast<std::uint64_t>(std::max(records, std::int64_t{0})), log_bytes / entry_bytes_min);
    for (shard& each : engine_.index.shards()) {
      const std::lock_guard hold(each.mutex);
      each.expect_cold(likely / shard_count + likely / shard_count / 50);
    }
  }

  // What a sealed segment has that no later one supersedes, from its index file. False if it has none.
  bool take_index(std::size_t number) {
    const auto contents = read_ahead_.valid() ? read_ahead_.get() : read_index_of(number);
    if (number + 2 < found_.segments.size() && engine_.segments.segment_bytes() >= read_ahead_from) {
      read_ahead_ = std::async(std::launch::async, [this, number] { return read_index_of(number + 1); });
    }
    if (!contents || !is_plausible(number, *contents)) return false;
    for (const superseded_entry& each : contents->superseded)
      forget(each.key, each.where);
    note(number, contents->entries);
    engine_.segments.adopt_index(found_.segments[number].where.name, index_file_bytes(*contents));
    return true;
  }

  // The same from the segment itself. Returns what its index has to say.
  tl::expected<std::vector<index_note>, damage> take_entries(std::size_t number, segment_end& end,
                                                             std::uint64_t& fence_granted) {
    auto read = read_segment(found_, number, memory_);
    if (!read) return tl::unexpected(std::move(read.error()));
    fence_granted = std::max(fence_granted, read->fence_granted);
    end = read->end;
    std::vector<index_note> notes;
    notes.reserve(read->latest.size());
    for (auto& [key, each] : read->latest) {
      if (auto superseded = supersede(key, each); !superseded) return tl::unexpected(std::move(superseded.error()));
      notes.push_back(each);
    }
    note(number, notes);
    return notes;
  }

 private:
  // Below it, a thread costs more than it helps.
  static constexpr std::uint64_t read_ahead_from = 1u << 20;

  // An index that passes its checksum was written by us; what it says of places is compared all the same, before a
  // pointer is made of it.
  bool is_plausible(std::size_t number, const index_contents& contents) const {
    const std::uint64_t own = found_.segments[number].header.generation;
    return std::all_of(contents.entries.begin(), contents.entries.end(),
                       [&](const index_note& each) { return each.offset < found_.segments[number].where.bytes; }) &&
           std::all_of(contents.superseded.begin(), contents.superseded.end(),
                       [&](const superseded_entry& each) { return each.where.generation < own; });
  }

  // The older entries of the key. There are few: most were superseded in their own segment.
  tl::expected<void, damage> supersede(const record_key& key, index_note& by) {
    shard& home = engine_.index.of(key);
    const std::lock_guard hold(home.mutex);
    if (!home.may_be_cold(key)) return {};
    for (const location& each : home.cold_of(key, wall_time::min(), engine_.segments)) {
      const auto older = read_entry(*each.in, each, memory_for_one_);
      if (!older) {
        return tl::unexpected(damage{older.error(), each.in->where.name, each.offset, "a record cannot be read"});
      }
      if (older->key != key) continue;
      if (by.before.generation == 0) by.before = {each.in->generation, each.offset};
      home.forget_cold(tag_of(key), *each.in, each.offset);
    }
    return {};
  }

  // Those of an index are in the order of their shards; of many, two threads take a half each.
  void note(std::size_t number, std::span<const index_note> entries) {
    segment& in = *kept_[number];
    if (entries.size() < two_threads_from) return note(in, entries);
    std::size_t middle = entries.size() / 2;
    while (middle != entries.size() && entries[middle].key.shard() == entries[middle - 1].key.shard())
      ++middle;
    in_halves(entries.size(), middle,
              [&](std::size_t begin, std::size_t end) { note(in, entries.subspan(begin, end - begin)); });
  }

  void note(segment& in, std::span<const index_note> entries) {
    std::uint64_t bytes = 0;
    for (auto each = entries.begin(); each != entries.end();) {
      shard& home = engine_.index.of(each->key);
      const std::lock_guard hold(home.mutex);
      for (; each != entries.end() && &engine_.index.of(each->key) == &home; ++each) {
        if (entries.end() - each > announced_ahead) home.announce((each + announced_ahead)->key.tag());
        home.note_found(*each, in);
        bytes += each->bytes;
      }
    }
    in.live_entries.fetch_add(entries.size());
    in.live_bytes.fetch_add(bytes);
  }

  void forget(key_prefix key, const entry_place& where) {
    const std::uint64_t oldest = found_.segments.front().header.generation;
    if (where.generation < oldest) return;  // Let go of since.
    segment* const in = kept_[where.generation - oldest].get();
    shard& home = engine_.index.of(key);
    const std::lock_guard hold(home.mutex);
    home.forget_cold(key.tag(), *in, where.offset);
  }

  // Ten million records are ten million places in memory, each far from the one before. Waiting for them one by one
  // took two thirds of the time.
  static constexpr std::ptrdiff_t announced_ahead = 12;

  const scanned_log& found_;
  disk& disk_;
  engine& engine_;
  const std::vector<std::shared_ptr<segment>> kept_;
  block_buffer memory_;
  block_buffer memory_for_one_;
  std::future<std::optional<index_contents>> read_ahead_;  // Of the next sealed segment. The last: it uses the others.
};

}  // namespace

tl::expected<recovered_log, damage> recover(scanned_log& found, disk& where, engine& into) {
  segment_set& segments = into.segments;
  if (auto durable = make_durable(found, where); !durable) return tl::unexpected(std::move(durable.error()));
  if (auto dropped = drop_useless_files(found, where, segments); !dropped) {
    return tl::unexpected(std::move(dropped.error()));
  }
  filling index(found, where, into);
  index.expect();
  std::uint64_t fence_granted = found.segments.empty() ? 0 : found.segments.back().header.fence_granted;
  sealed_segment last;
  for (std::size_t number = 0; number < found.segments.size(); ++number) {
    const bool is_last = number + 1 == found.segments.size();
    const std::string& file = found.segments[number].where.name;
    if (!is_last && index.take_index(number)) {
      std::erase(found.indexes, index_file_name(file));
      continue;
    }
    auto notes = index.take_entries(number, found.end, fence_granted);
    if (!notes) return tl::unexpected(std::move(notes.error()));
    if (is_last) {
      last = {index.kept().back(), *std::move(notes)};
    } else {
      // Without it, the next opening reads the segment, too.
      const segment_bounds as = bounds_of(found, number);
      const auto written = segments.write_index(file, as, index_of(as.generation, *notes));
      if (written) std::erase(found.indexes, index_file_name(file));
    }
  }
  // Those of segments that are gone, or that could not be read.
  for (const std::string& each : found.indexes)
    static_cast<void>(where.remove(each));
  // Without any, the log itself may still be beyond a limit that was lowered.
  if (const auto room = segments.make_room(0); !room && room.error().reason != errc::full) {
    return tl::unexpected(damage{errc::io, where.name(), 0, describe(room.error())});
  }
  if (last.which == nullptr) return recovered_log{{}, {}, fence_granted};

  // Only now: an expired record may hide an older entry of its key.
  const wall_time now = into.now();
  for_each_shard(into.index, [&](std::size_t, shard& each) {
    std::uint64_t space_held = 0;
    each.erase_expired(now, segments, space_held);
  });

  // Where a batch was not written to its end, some of it is still there; the log goes on in a segment that has none of
  // it.
  const std::uint64_t offset = found.end.torn ? segments.segment_bytes() : found.end.offset;
  segments.begin_at(offset);
  log_writer::position end{last.which, offset, found.end.next_sequence};
  return recovered_log{std::move(end), std::move(last), fence_granted};
}

tl::expected<void, damage> abandon_claims(engine& opened) {
  const wall_time now = opened.now();
  std::array<std::vector<cold_record>, shard_count> claims;
  for_each_shard(opened.index, [&](std::size_t number, const shard& home) {
    home.for_each_cold([&](const cold_record& each) {
      if (each.kind == state_kind::in_flight) claims[number].push_back(each);
    });
  });
  block_buffer memory;
  for (std::size_t number = 0; number < shard_count; ++number) {
    shard& home = opened.index.shards()[number];
    const std::lock_guard hold(home.mutex);
    for (const cold_record& each : claims[number]) {
      const location where{opened.segments.kept(each.segment), each.offset, static_cast<std::uint32_t>(each.bytes)};
      auto claimed = read_entry(*where.in, where, memory);
      if (!claimed) {
        return tl::unexpected(damage{claimed.error(), where.in->where.name, where.offset, "a record cannot be read"});
      }
      slot& place = *home.warm(claimed->key, where, claimed->kept);
      opened.put_and_write(home, place, core::abandoned(std::move(claimed->kept), now));
    }
  }
  return {};
}

open_error refusal(const damage& found, const disk& where) {
  std::string message = where.name();
  if (!found.file.empty() && found.file != where.name()) message += "/" + found.file;
  if (found.reason == errc::corrupt) message += ", byte " + std::to_string(found.offset);
  message += ": " + found.what;
  return {found.reason, std::move(message)};
}

}  // namespace onceward::journal
