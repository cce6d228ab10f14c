// The index file of a sealed segment: what opening needs to know of its entries, so that it does not read the segment.
//
// It is a copy of what the segment says, and is made after the segment is durable. One that is missing, damaged or of
// another segment is not used; the segment is read instead. Its bytes are described in docs/journal-format.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onceward/store.h"
#include "stores/journal/block_buffer.h"
#include "stores/journal/disk.h"
#include "stores/journal/entry.h"
#include "stores/journal/log_scan.h"

namespace onceward::journal {

inline constexpr std::uint32_t index_format_version = 1;

// The index is in so many parts.
inline constexpr std::size_t shard_count = 128;

// As much of a record key as the index knows: the part that it belongs to, and the tag that it has there.
struct key_prefix {
  std::uint64_t bits = 0;
  std::uint32_t tag() const { return static_cast<std::uint32_t>(bits >> 32); }
  std::size_t shard() const { return static_cast<std::size_t>(bits >> 24) % shard_count; }
  friend bool operator==(key_prefix, key_prefix) = default;
};
key_prefix prefix_of(const record_key& key);

// Where an entry is, in whichever segment. Generation 0: nowhere.
struct entry_place {
  std::uint64_t generation = 0;
  std::uint32_t offset = 0;
  friend bool operator==(const entry_place&, const entry_place&) = default;
};

// An entry of the segment that was the latest of its key when it was written, and the one that was so before.
struct index_note {
  key_prefix key;
  std::uint32_t offset = 0;
  std::uint32_t bytes = 0;  // As rounded_entry_bytes() has them.
  state_kind kind = state_kind::in_flight;
  wall_time expires_at{};  // wall_time::max() while in flight.
  entry_place before;
  friend bool operator==(const index_note&, const index_note&) = default;
};

// What of older segments it superseded.
struct superseded_entry {
  key_prefix key;
  entry_place where;
};

struct index_contents {
  std::vector<index_note> entries;  // Those that nothing in the segment superseded; without `before`.
  std::vector<superseded_entry> superseded;
};

// The index of a segment with these notes, in the order of the log. In the order of their keys.
index_contents index_of(std::uint64_t generation, const std::vector<index_note>& notes);

// The whole file, in `memory`.
std::span<const std::byte> encode_index(const segment_bounds& of, const index_contents& contents, block_buffer& memory);
// Nothing where the bytes are not an intact index of that segment.
std::optional<index_contents> decode_index(const segment_bounds& of, std::span<const std::byte> bytes);

std::uint64_t index_file_bytes(const index_contents& contents);

// Leaves either the whole file or the one that was there before, which is of no segment any more.
io_result<void> write_index(disk& where, std::string_view segment_file, const segment_bounds& of,
                            const index_contents& contents);
// How many records the index adds to what older segments have; nothing where the file does not begin as an index of
// that segment. One block is read.
std::optional<std::int64_t> read_index_balance(disk& where, std::string_view segment_file, const segment_bounds& of);
std::optional<index_contents> read_index(disk& where, std::string_view segment_file, const segment_bounds& of);

}  // namespace onceward::journal
