// What one segment says of its keys, out of its batches. An index file is a copy of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "core/record.h"
#include "stores/journal/block_buffer.h"
#include "stores/journal/index_file.h"
#include "stores/journal/log_scan.h"

namespace onceward::journal {

struct segment_reading {
  // The latest entry of each key in the segment, without `before`.
  std::unordered_map<record_key, index_note, core::record_key_index> latest;
  segment_end end;
  std::uint64_t fence_granted = 0;  // The largest of its entries.
};

// Reads all of the segment of that number into `memory`, at once.
tl::expected<segment_reading, damage> read_segment(const scanned_log& log, std::size_t number, block_buffer& memory);

}  // namespace onceward::journal
