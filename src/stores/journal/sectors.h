// How a batch lies on the disk: in sectors of 512 bytes, each with 504 bytes of the batch and a stamp of 8.
//
// A sector is what a disk writes whole or not at all. The stamp says which batch the sector was last written for, so
// that recovery can tell a batch that was not written to its end (some sector has another stamp: power went, nothing
// was acknowledged) from one that was written and has changed since (all stamps are right, the checksum is not:
// damage). And no bytes inside a batch, whoever chose them, can be read as the beginning of another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "stores/journal/block_buffer.h"

namespace onceward::journal {

inline constexpr std::size_t sector_bytes = 512;
inline constexpr std::size_t stamp_bytes = 8;
inline constexpr std::size_t sector_payload_bytes = sector_bytes - stamp_bytes;

struct batch_id {
  std::uint64_t generation;  // Of the segment: no two uses of a file have the same.
  std::uint64_t sequence;    // Of the batch in the log; no two written batches have the same.
  friend bool operator==(batch_id, batch_id) = default;
};

std::uint64_t stamp_of(batch_id id, std::size_t sector);

// The whole blocks that `payload_bytes` need, and the payload that so many bytes on disk carry.
constexpr std::size_t disk_bytes_of(std::size_t payload_bytes) {
  return whole_blocks((payload_bytes + sector_payload_bytes - 1) / sector_payload_bytes * sector_bytes);
}
constexpr std::size_t payload_bytes_of(std::size_t disk_bytes) {
  return disk_bytes / sector_bytes * sector_payload_bytes;
}

// Where in the batch's bytes on disk its payload's byte `offset` lies.
constexpr std::size_t disk_offset_of(std::size_t offset) {
  return offset / sector_payload_bytes * sector_bytes + offset % sector_payload_bytes;
}

// Writes the payload, exactly as long as `out` carries, with its stamps.
void scatter(std::string_view payload, batch_id id, std::span<std::byte> out);

// Appends `payload_bytes` of payload to `out`, beginning at `disk_offset` in `sectors`, which starts at a sector.
void gather(std::span<const std::byte> sectors, std::size_t disk_offset, std::size_t payload_bytes, std::string& out);

// Whether the sector at `index` of `sectors` was written as the sector `index` of batch `id`.
bool is_stamped(std::span<const std::byte> sectors, std::size_t index, batch_id id);

}  // namespace onceward::journal
