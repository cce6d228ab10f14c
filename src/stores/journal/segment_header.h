// The first sector of every segment file: what the file is used for now.
//
// It is written whole or not at all, being one sector, and that write is what makes a preallocated or recycled file the
// next segment of the log and lets go of the segments before `first_generation`, in one step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "onceward/result.h"
#include "stores/journal/disk.h"

namespace onceward::journal {

inline constexpr std::uint32_t format_version = 1;

// Where the first batch begins.
inline constexpr std::uint64_t segment_header_bytes = block_bytes;

struct segment_header {
  std::uint64_t generation;        // 1 for the first segment of a log; each next one has one more.
  std::uint64_t segment_bytes;     // The length of the file.
  std::uint64_t first_sequence;    // Of this segment's first batch. The segment before ends where this one begins.
  std::uint64_t first_generation;  // The oldest segment that is part of the log.
  std::uint64_t fence_granted;     // No fence granted before this segment was larger.
  std::int64_t created_at_ms;      // Since 1970-01-01 UTC, for people.
};

// Fills one block.
void encode(const segment_header& header, std::span<std::byte> block);

// Nothing where the sector has never been written. errc::corrupt, or errc::version for a later format.
result<std::optional<segment_header>> decode_segment_header(std::span<const std::byte> block);

}  // namespace onceward::journal
