// What can still be read of a segment in which something is wrong.
//
// Reading a sound log goes from each batch to the next and stops at the first that is not as it was written
// (log_scan.h). This looks at every block instead, and takes whatever proves by its own checksum what it is: whole
// batches behind a gap, and single entries of a batch of which a part has changed. Nothing is guessed: an entry that
// cannot be proven is not given.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "stores/journal/batch.h"
#include "stores/journal/entry.h"

namespace onceward::journal {

// A batch of which at least the beginning is where it was written.
struct found_batch {
  std::uint64_t sequence;
  std::uint64_t offset;       // In the file.
  std::uint64_t disk_bytes;   // As its header says; where that cannot be read, the blocks that have a sector of it.
  batch_condition condition;  // Never absent.
};

// All batches of `generation`, in order, in a segment whose whole file is `bytes`. `first_sequence` is that of the
// first, as far as it is known; smaller ones are not looked for.
std::vector<found_batch> find_batches(std::span<const std::byte> bytes, std::uint64_t generation,
                                      std::uint64_t first_sequence);

// What a file must have been, by its batches, where its header cannot be read.
struct inferred_segment {
  std::uint64_t generation;      // The latest of which there is a batch.
  std::uint64_t first_sequence;  // Of the first such batch.
  bool from_the_start;           // It lies where a segment's first batch does.
};
std::optional<inferred_segment> infer_segment(std::span<const std::byte> bytes);

// Called with an entry that is proven: its number in the batch, where it begins in the batch's bytes on disk, the entry
// taken apart.
using salvage_visitor = std::function<void(std::uint32_t index, std::uint64_t offset, entry found)>;

struct salvaged_batch {
  std::optional<std::uint32_t> announced;  // Entries, by the batch's header; nothing where it cannot be read.
  std::uint32_t read = 0;
  std::optional<std::uint32_t> last_lost;  // The number of the last entry that could not be read.
  bool lengths_are_sound = false;          // They lead from entry to entry to exactly the end.
  bool is_complete() const { return announced && read == *announced; }
};

// Gives every entry of the batch at the beginning of `rest` that is proven, in order.
salvaged_batch salvage(std::span<const std::byte> rest, batch_id id, const salvage_visitor& visit);

}  // namespace onceward::journal
