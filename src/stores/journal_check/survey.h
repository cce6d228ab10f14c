// Everything that can be said of a journal's directory without writing to it: what is there, every damage, and what it
// may have taken.
//
// It agrees with opening: what opening refuses has a finding here. It goes on behind each, and says which batches are
// missing by their sequence numbers. What it cannot see, as opening cannot: that the newest segment was deleted, and
// damage to the very last batch that looks like a write that was cut short.
//
// Reads whole segments into memory, one at a time, and every file once; twice where its header cannot be read.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "onceward/store.h"
#include "stores/journal/disk.h"
#include "stores/journal/entry.h"
#include "stores/journal/log_scan.h"
#include "stores/journal/segment_header.h"

namespace onceward::journal {

// Where an entry stands in the order of the log.
struct log_position {
  std::uint64_t sequence;  // Of its batch.
  std::uint32_t index;     // In that.
  friend auto operator<=>(const log_position&, const log_position&) = default;
};
inline constexpr std::uint32_t last_index = std::numeric_limits<std::uint32_t>::max();
inline constexpr log_position behind_everything{std::numeric_limits<std::uint64_t>::max(), last_index};

// A damage: where, what, and what it hides.
struct finding {
  std::string file;  // Empty for one of the directory.
  std::uint64_t offset = 0;
  std::string what;                      // A clause for people.
  std::uint64_t bytes = 0;               // From the offset on, that hold nothing that can be relied on.
  std::uint64_t first_sequence = 0;      // Of the batches that are not whole; 0 where nobody can say.
  std::uint64_t batches = 0;             // So many from there on.
  bool all_known = true;                 // False: or more.
  std::uint64_t entries_read = 0;        // In those batches, each proven by itself.
  std::optional<std::uint64_t> entries;  // In those batches that are lost; nothing where nobody can say.
  // When the lost entries were written: not before the first, not after the second, by what stands around them.
  std::optional<wall_time> after;
  std::optional<wall_time> before;

  bool loses_entries() const { return !entries || *entries > 0; }
};

enum class file_use {
  log,         // A segment of the log.
  retired,     // A segment that was let go of; its file waits to become another.
  unused,      // Never written to.
  unreadable,  // Nothing says what it was.
};

struct surveyed_file {
  std::string name;
  std::uint64_t bytes = 0;
  file_use use = file_use::unreadable;
  std::optional<segment_header> header;
  std::uint64_t generation = 0;  // By the header, or else by the batches; 0 where neither says.
};

struct surveyed_entry {
  log_position position;
  bool is_retired;  // In a segment that was let go of: it counts only where nothing later is known of its key.
  const std::string& file;
  std::uint64_t offset;
  const entry& found;
};
// Retired segments first, then the log; both from the oldest to the newest. A position may come twice where a segment
// is there twice.
using survey_visitor = std::function<void(const surveyed_entry&)>;

struct log_survey {
  std::vector<surveyed_file> files;  // Of segments, by name.
  std::vector<finding> findings;     // No order. None: opening takes the journal as it is.

  // Of the log, as far as it can be read.
  std::uint64_t segment_bytes = 0;  // As the newest header says; 0 without any.
  std::uint64_t first_generation = 0;
  std::uint64_t newest_generation = 0;
  std::uint64_t batches = 0;
  std::uint64_t entries = 0;
  std::uint64_t batch_bytes = 0;
  std::uint64_t next_sequence = 1;
  std::string end_file;  // Empty for a log without segments.
  std::uint64_t end_offset = 0;
  bool is_torn = false;  // The last write was cut short: nothing of it was acknowledged.

  // In every file.
  std::uint64_t largest_generation = 0;  // There may have been one more for each file that does not say.
  std::uint64_t largest_fence = 0;

  // An entry before this may have been superseded by one that is lost.
  std::optional<log_position> last_loss;
  wall_time first_loss_after{};               // No lost entry was written before this,
  std::optional<wall_time> last_loss_before;  // and none after this, as far as a header says.
};

// The error is of the directory as a whole: it or all of it cannot be read, or another version wrote it. `visit` may be
// empty.
tl::expected<log_survey, damage> survey(disk& where, const survey_visitor& visit);

}  // namespace onceward::journal
