#include "stores/journal/segment_reading.h"

#include <algorithm>
#include <string_view>

#include "stores/journal/cold_table.h"
#include "stores/journal/entry.h"

namespace onceward::journal {

tl::expected<segment_reading, damage> read_segment(const scanned_log& log, std::size_t number, block_buffer& memory) {
  segment_reading read;
  const auto visit = [&](std::size_t, std::uint64_t offset, std::string_view bytes) {
    const auto head = decode_entry_head(bytes.substr(entry_header_bytes));
    if (!head) return false;
    read.fence_granted = std::max(read.fence_granted, static_cast<std::uint64_t>(head->token));
    read.latest[head->key] = {.key = prefix_of(head->key),
                              .offset = static_cast<std::uint32_t>(offset),
                              .bytes = static_cast<std::uint32_t>(rounded_entry_bytes(bytes.size())),
                              .kind = head->kind,
                              .expires_at = head->expires_at.value_or(wall_time::max()),
                              .before = {}};
    return true;
  };
  const auto scanned = scan_segment(log, number, memory, visit);
  if (!scanned) return tl::unexpected(scanned.error());
  read.end = *scanned;
  return read;
}

}  // namespace onceward::journal
