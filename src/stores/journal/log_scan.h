// Reading a whole log: which files are its segments, what their batches hold, and where it ends. For opening a journal
// and for checking one.
//
// The end of a log is where the next batch was never written, or not to its end: then nothing of it was acknowledged.
// Everything else that is not as it was written is damage, and named; nothing is skipped, guessed or mended here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stores/journal/block_buffer.h"
#include "stores/journal/disk.h"
#include "stores/journal/segment_header.h"

namespace onceward::journal {

struct damage {
  errc reason;  // corrupt, version or io.
  std::string file;
  std::uint64_t offset;
  std::string what;  // A clause for people.
};

// An entry, found sound. `offset` is where it begins in the file; `entry` is header and body, valid during the call.
// Returns false if the body does not keep to the format.
using entry_visitor = std::function<bool(std::size_t segment, std::uint64_t offset, std::string_view entry)>;

// Where the batches of a segment end.
struct segment_end {
  std::uint64_t offset = segment_header_bytes;
  std::uint64_t next_sequence = 0;
  bool torn = false;  // Part of the next batch is there.
  std::uint64_t batches = 0;
  std::uint64_t entries = 0;
};

// Which batches a segment has. No two uses of a file have the same.
struct segment_bounds {
  std::uint64_t generation = 0;
  std::uint64_t first_sequence = 0;
  std::uint64_t next_first_sequence = 0;  // Where the following segment begins; 0 for the last one.
  friend bool operator==(const segment_bounds&, const segment_bounds&) = default;
};

// Walks the batches of a segment whose whole file is `bytes`. Damage comes without the file's name.
tl::expected<segment_end, damage> walk_segment(std::span<const std::byte> bytes, const segment_bounds& bounds,
                                               std::size_t segment, const entry_visitor& visit);

struct segment_file {
  std::string name;
  std::shared_ptr<disk_file> file;
  std::uint64_t bytes;
};

struct scanned_segment {
  segment_file where;
  segment_header header;
};

struct scanned_log {
  std::vector<scanned_segment> segments;  // Of the log, oldest first. Empty for a new directory.
  std::vector<segment_file> unused;       // Preallocated, or no longer part of the log.
  std::vector<std::string> indexes;       // Files that seem to be indexes of segments; nobody has looked inside.
  std::vector<std::string> unfinished;    // Files whose making was interrupted.
  segment_end end;                        // Of the last segment.
  std::uint64_t batches = 0;
  std::uint64_t entries = 0;
};

// Files that are not the journal's are left out. Changes nothing.
tl::expected<scanned_log, damage> find_segments(disk& where);

// What the segment of this number in `log` has to hold.
segment_bounds bounds_of(const scanned_log& log, std::size_t number);

// Reads every batch of that segment, all of it at once into `memory`.
tl::expected<segment_end, damage> scan_segment(const scanned_log& log, std::size_t number, block_buffer& memory,
                                               const entry_visitor& visit);

// Reads every batch of what find_segments() found, oldest first.
tl::expected<void, damage> scan(scanned_log& log, const entry_visitor& visit);

// The name of the segment file of this number, which is not its generation; and of one still being made.
std::string segment_file_name(std::uint64_t number);
std::string unfinished_name(std::string_view name);
std::string index_file_name(std::string_view segment_file);
// 0 for a name that is not a segment file's.
std::uint64_t number_of_segment_file(std::string_view name);

}  // namespace onceward::journal
