// A new log that takes the place of the one in a directory, in such a way that at every moment, whatever is cut short,
// the directory holds the old log or the new one, and never opens with anything between.
//
// The new segments are written under other names first (`segment-NNNNNN.repaired`), whole and synced. Then the last of
// them gets its name. It belongs to a log whose first segment is not there yet, so from here on opening refuses, until
// all of it is. Meanwhile the old files are renamed (`segment-NNNNNN.damaged`); then the other new ones get their
// names, the first segment last of all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/record.h"
#include "onceward/store.h"
#include "stores/journal/batch.h"
#include "stores/journal/block_buffer.h"
#include "stores/journal/disk.h"
#include "stores/journal/options.h"
#include "stores/journal/segment_header.h"

namespace onceward::journal {

inline constexpr std::string_view repaired_suffix = ".repaired";
inline constexpr std::string_view damaged_suffix = ".damaged";

// Larger than the number of every file whose name begins as a segment's, whatever follows.
std::uint64_t unused_segment_number(const std::vector<std::string>& names);

// Writes the segments of the new log.
class replacement_writer {
 public:
  struct plan {
    std::uint64_t segment_bytes;
    std::uint64_t first_generation;
    std::uint64_t first_sequence;
    std::uint64_t first_number;  // Of the files.
    std::uint64_t fence_granted;
    wall_time now;
  };
  replacement_writer(disk& where, const plan& chosen)
      : where_(where), plan_(chosen), next_sequence_(chosen.first_sequence) {}

  // Not longer than fits into a segment. After an error the writer is not used again.
  io_result<void> add(const record_key& key, const core::record& kept);
  // Writes what is left, and the last segment, which is empty; makes everything durable, under the names it has.
  io_result<void> finish();

  std::uint64_t segments() const { return files_; }

 private:
  io_result<void> begin_segment();
  io_result<void> write_batch();
  io_result<void> end_segment();

  disk& where_;
  const plan plan_;
  std::uint64_t next_sequence_;
  std::uint64_t files_ = 0;
  std::unique_ptr<disk_file> active_;
  std::uint64_t generation_ = 0;
  std::uint64_t offset_ = 0;
  batch_builder batch_;
  std::string entry_;
  block_buffer memory_;
};

// What a replacement that is not complete has in the directory.
struct begun_replacement {
  struct file {
    std::string name;
    segment_header header;
  };
  std::vector<file> waiting;  // Under their other names.
  // Whether the last segment has its name: then the replacement is carried through, not begun again.
  bool is_decided = false;
};
// Nothing where there is none. errc::corrupt where one is decided and a file of it is missing.
tl::expected<std::optional<begun_replacement>, open_error> find_begun_replacement(disk& where);

// Removes what a replacement has written that is not decided.
io_result<void> withdraw(disk& where);

// From the first name to the last; may be called again after an error or another process's end, and goes on. Returns
// the old files with the names they have now.
io_result<std::vector<std::pair<std::string, std::string>>> carry_through(disk& where, begun_replacement begun);

}  // namespace onceward::journal
