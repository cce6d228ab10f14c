// A batch: the entries that were made durable by one write. Its bytes are described in docs/journal-format.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "stores/journal/sectors.h"

namespace onceward::journal {

inline constexpr std::size_t batch_header_bytes = 48;

// Collects the entries of one batch.
class batch_builder {
 public:
  batch_builder() { clear(); }

  void clear();
  bool empty() const { return entry_count_ == 0; }

  // What the batch takes on disk with `entry_bytes` more.
  std::size_t disk_bytes_with(std::size_t entry_bytes) const { return disk_bytes_of(payload_.size() + entry_bytes); }

  // Adds an entry, in two pieces for those who have it so. Returns where in the batch's bytes on disk it begins.
  std::size_t add(std::string_view entry, std::string_view rest = {});

  // The finished batch, in `out`'s memory.
  std::span<const std::byte> seal(batch_id id, block_buffer& out);

 private:
  std::string payload_;  // Begins with room for the header.
  std::uint32_t entry_count_ = 0;
};

struct batch_header {
  batch_id id;
  std::uint32_t entry_count;
  std::uint32_t entry_bytes;       // Without the header and the padding.
  std::uint64_t payload_checksum;  // Of everything after the header: entries and padding.
};

// The header at the beginning of `block`, which is a block or more, if there is one that is whole.
std::optional<batch_header> read_header(std::span<const std::byte> block);

// The name that the bytes of a header give it, whether or not there is one that is whole.
batch_id name_in_header(std::span<const std::byte> block);

enum class batch_condition {
  intact,   // Here it is.
  absent,   // No batch of this name begins here.
  torn,     // It begins here but was not written to its end.
  damaged,  // It was written to its end and has changed since.
};

struct batch_reading {
  batch_condition condition = batch_condition::absent;
  std::size_t disk_bytes = 0;  // Of an intact batch.
  std::uint32_t entry_count = 0;
  std::string payload;          // Of an intact batch: header, entries, padding.
  std::size_t entries_end = 0;  // In payload.
};

// Reads the batch `expected` at the beginning of `rest`, which is what follows in the segment, in whole blocks.
batch_reading read_batch(std::span<const std::byte> rest, batch_id expected);

// What else lies in `rest` where batch `expected` was looked for and is not intact.
enum class batch_traces {
  none,      // Nothing of it or after it.
  part,      // Some of its sectors.
  later_one  // A batch after it, which was not written before it was whole: there is damage.
};
batch_traces find_traces(std::span<const std::byte> rest, batch_id expected);

}  // namespace onceward::journal
