#include "stores/journal_check/salvage.h"

#include <algorithm>
#include <string>
#include <utility>

#include "stores/journal/little_endian.h"
#include "stores/journal/sectors.h"
#include "stores/journal/segment_header.h"

namespace onceward::journal {
namespace {

// The header of the batch, if it is whole and its entries can all be in `rest`.
std::optional<batch_header> announced_by(std::span<const std::byte> rest, batch_id id) {
  const auto header = read_header(rest);
  if (!header || header->id != id) return std::nullopt;
  if (disk_bytes_of(batch_header_bytes + header->entry_bytes) > rest.size()) return std::nullopt;
  return header;
}

// The blocks from the first on that have a sector of the batch.
std::uint64_t stamped_bytes(std::span<const std::byte> rest, batch_id id) {
  constexpr std::size_t sectors_per_block = block_bytes / sector_bytes;
  std::size_t blocks = 1;
  for (std::size_t block = 1; (block + 1) * block_bytes <= rest.size(); ++block) {
    bool any = false;
    for (std::size_t sector = 0; sector < sectors_per_block && !any; ++sector)
      any = is_stamped(rest, block * sectors_per_block + sector, id);
    if (!any) break;
    blocks = block + 1;
  }
  return blocks * block_bytes;
}

// An entry's place in the payload, as the lengths before it say.
struct entry_span {
  std::size_t begin;
  std::size_t bytes;
};

// Follows the lengths as far as they lead. Whether they lead exactly to the end, as they do where none of them has
// changed: only then does an entry behind a broken one begin where they say.
bool follow_lengths(std::string_view payload, std::size_t end, std::uint32_t count, std::vector<entry_span>& spans) {
  std::size_t at = batch_header_bytes;
  while (spans.size() < count && at + entry_header_bytes <= end) {
    byte_reader reader(payload.substr(at));
    const std::size_t bytes = entry_header_bytes + reader.take<std::uint32_t>();
    if (bytes > end - at) return false;
    spans.push_back({at, bytes});
    at += bytes;
  }
  return spans.size() == count && at == end;
}

}  // namespace

std::vector<found_batch> find_batches(std::span<const std::byte> bytes, std::uint64_t generation,
                                      std::uint64_t first_sequence) {
  std::vector<found_batch> found;
  std::uint64_t expected = first_sequence;
  // Only here is a header believed whose sector does not name the batch: bytes that somebody chose may look like one.
  std::uint64_t expected_at = segment_header_bytes;
  for (std::uint64_t at = segment_header_bytes; at + block_bytes <= bytes.size();) {
    const auto rest = bytes.subspan(at);
    batch_id id = name_in_header(rest);
    if (id.generation != generation || id.sequence < expected || !is_stamped(rest, 0, id)) id = {generation, expected};
    if (at != expected_at && !is_stamped(rest, 0, id)) {
      at += block_bytes;
      continue;
    }
    const batch_reading reading = read_batch(rest, id);
    if (reading.condition == batch_condition::absent) {
      at += block_bytes;
      continue;
    }
    const auto announced = announced_by(rest, id);
    const std::uint64_t disk_bytes =
        announced ? disk_bytes_of(batch_header_bytes + announced->entry_bytes) : stamped_bytes(rest, id);
    found.push_back({id.sequence, at, disk_bytes, reading.condition});
    expected = id.sequence + 1;
    expected_at = at + disk_bytes;
    // Behind a batch that is not whole, every block is looked at: its length may be what has changed.
    at += reading.condition == batch_condition::intact ? disk_bytes : block_bytes;
  }
  return found;
}

std::optional<inferred_segment> infer_segment(std::span<const std::byte> bytes) {
  std::optional<inferred_segment> latest;
  for (std::uint64_t at = segment_header_bytes; at + block_bytes <= bytes.size(); at += block_bytes) {
    const auto rest = bytes.subspan(at);
    const batch_id id = name_in_header(rest);
    if (id.generation == 0 || !is_stamped(rest, 0, id)) continue;
    if (latest && id.generation <= latest->generation) continue;
    latest = {id.generation, id.sequence, at == segment_header_bytes};
  }
  return latest;
}

salvaged_batch salvage(std::span<const std::byte> rest, batch_id id, const salvage_visitor& visit) {
  salvaged_batch told;
  const auto announced = announced_by(rest, id);
  if (!announced) return told;
  told.announced = announced->entry_count;
  const std::size_t end = batch_header_bytes + announced->entry_bytes;
  std::string payload;
  gather(rest, 0, payload_bytes_of(disk_bytes_of(end)), payload);

  std::vector<entry_span> spans;
  told.lengths_are_sound = follow_lengths(payload, end, announced->entry_count, spans);
  std::uint32_t index = 0;
  for (const entry_span& each : spans) {
    const auto body = entry_body(std::string_view(payload).substr(each.begin, each.bytes), id.generation);
    auto decoded = body ? decode_entry(*body) : result<entry>(tl::unexpected(body.error()));
    if (decoded) {
      visit(index, disk_offset_of(each.begin), *std::move(decoded));
      ++told.read;
    } else {
      told.last_lost = index;
      if (!told.lengths_are_sound) break;
    }
    ++index;
  }
  if (!told.lengths_are_sound && !told.is_complete()) told.last_lost = std::max(announced->entry_count, 1u) - 1;
  return told;
}

}  // namespace onceward::journal
