#include "stores/journal/recovery.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stores/journal/log_reader.h"

namespace onceward::journal {
namespace {

tl::expected<void, damage> drop_files_of_another_length(scanned_log& found, disk& where, std::uint64_t segment_bytes) {
  for (auto each = found.unused.begin(); each != found.unused.end();) {
    if (each->bytes == segment_bytes) {
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

}  // namespace

tl::expected<recovered_log, damage> recover(scanned_log& found, disk& where, engine& into) {
  segment_set& segments = into.segments;
  if (auto dropped = drop_files_of_another_length(found, where, segments.segment_bytes()); !dropped) {
    return tl::unexpected(std::move(dropped.error()));
  }
  if (auto durable = make_durable(found, where); !durable) return tl::unexpected(std::move(durable.error()));
  const auto kept = segments.adopt(found);
  std::uint64_t fence_granted = kept.empty() ? 0 : found.segments.back().header.fence_granted;
  const auto visit = [&](std::size_t number, std::uint64_t offset, std::string_view bytes) {
    const auto head = decode_entry_head(bytes.substr(entry_header_bytes));
    if (!head) return false;
    fence_granted = std::max(fence_granted, static_cast<std::uint64_t>(head->token));
    shard& home = into.index.of(head->key);
    const std::lock_guard hold(home.mutex);
    home.note_found(*head,
                    {kept[number].get(), static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(bytes.size())});
    return true;
  };
  if (auto scanned = scan(found, visit); !scanned) return tl::unexpected(std::move(scanned.error()));
  if (kept.empty()) return recovered_log{{}, fence_granted};

  // Only now: an expired record may hide an older entry of its key.
  std::uint64_t space_held = 0;
  for (shard& each : into.index.shards()) {
    const std::lock_guard hold(each.mutex);
    each.erase_expired(into.now(), space_held);
  }

  // Where a batch was not written to its end, some of it is still there; the log goes on in a segment that has none of
  // it.
  const std::uint64_t offset = found.end.torn ? segments.segment_bytes() : found.end.offset;
  segments.begin_at(offset);
  return recovered_log{{kept.back(), offset, found.end.next_sequence}, fence_granted};
}

tl::expected<void, damage> abandon_claims(engine& opened) {
  const wall_time now = opened.now();
  block_buffer memory;
  for (shard& home : opened.index.shards()) {
    const std::lock_guard hold(home.mutex);
    std::vector<std::pair<record_key, slot*>> claims;
    home.for_each([&](const record_key& key, slot& place) {
      if (place.kind == state_kind::in_flight) claims.emplace_back(key, &place);
    });
    for (const auto& [key, place] : claims) {
      auto claimed = read_entry(*place->where.in, place->where, memory);
      if (!claimed) {
        return tl::unexpected(
            damage{claimed.error(), place->where.in->where.name, place->where.offset, "a record cannot be read"});
      }
      opened.put_and_write(home, key, core::abandoned(std::move(claimed->kept), now));
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
