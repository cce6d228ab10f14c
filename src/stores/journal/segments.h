// The segment files of an open log, and the account of the space in them.
//
// A file is kept (part of the log; the last kept one is active, written to), or ready (preallocated or retired, the
// next to become active). Only the oldest segment is ever retired, so that no entry outlives a later one of its key.
//
// A sealed segment also has an index file, where there is room for it.
//
// Space: a command that will be written promises its bytes first, and a claim also promises what its outcome is
// expected to need. Promises never exceed what the active segment and the ready ones can surely take, so the committer
// always has where to write, and what is claimed can be completed on a disk that has become full.
//
// Threads: any, but for activate_next() and consume(), which are the committer's, and retire_oldest() and add_file(),
// the caretaker's.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "onceward/store.h"
#include "stores/journal/disk.h"
#include "stores/journal/index_file.h"
#include "stores/journal/log_scan.h"
#include "stores/journal/segment_header.h"

namespace onceward::journal {

// A segment of the log. It stays alive while somebody reads it, even when its file has become another segment's.
struct segment : std::enable_shared_from_this<segment> {
  segment(segment_file where_, std::uint64_t generation_, std::uint64_t first_sequence_)
      : where(std::move(where_)), generation(generation_), first_sequence(first_sequence_) {}

  const segment_file where;
  const std::uint64_t generation;
  const std::uint64_t first_sequence;
  // The entries that are the latest of their key. Changed under the lock of the key's shard.
  std::atomic<std::uint64_t> live_entries{0};
  std::atomic<std::uint64_t> live_bytes{0};
};

// At most so many segments are kept, so that twenty bits of a generation say which one is meant.
inline constexpr std::uint64_t segments_max = std::uint64_t{1} << 20;

class segment_set {
 public:
  // There are `files_max` of them at most, and index files as far as both take no more bytes than so many files do.
  segment_set(disk& where, std::uint64_t segment_bytes, std::uint64_t files_max);

  // Before any other use: what was found in the directory. Returns the segments of the log, oldest first.
  std::vector<std::shared_ptr<segment>> adopt(const scanned_log& found);
  // An index file that was found and is used. Others are to be removed, and some of these where make_room() has to.
  void adopt_index(const std::string& segment_file, std::uint64_t bytes);
  // The last of them can be written to from here on.
  void begin_at(std::uint64_t offset) { capacity_.fetch_add(usable_after(offset)); }

  std::uint64_t segment_bytes() const { return segment_bytes_; }
  // The longest batch of one entry, on disk.
  std::uint64_t entry_disk_bytes_max() const { return entry_disk_bytes_max_; }
  // Beside so many kept ones, the files that are of use as ready ones; others that are found are to be removed. Where
  // the log alone is beyond the limit, which was lowered then, it is one: old segments are emptied into it.
  std::uint64_t ready_max(std::uint64_t kept) const { return kept > files_max_ ? 1 : files_max_ - kept; }
  // What a whole segment can surely take.
  std::uint64_t usable_bytes() const { return usable_after(segment_header_bytes); }

  // ---- Space ----

  // False, and nothing promised, unless at least `leave` stays unpromised.
  bool promise(std::uint64_t bytes, std::uint64_t leave);
  void give_back(std::uint64_t bytes) { promised_.fetch_sub(bytes); }
  // Not promised to anybody.
  std::uint64_t free_bytes() const;

  // ---- The committer's ----

  // Makes a ready file the active segment, durably. There is one if every write was promised.
  io_result<std::shared_ptr<segment>> activate_next(std::uint64_t first_sequence, std::uint64_t fence_granted,
                                                    wall_time now);
  // The active segment was written from `begin` to `end`.
  void consume(std::uint64_t begin, std::uint64_t end);

  // ---- The caretaker's ----

  // The oldest segment and the sequence number at which the one after it begins; null if only the active one is kept.
  struct oldest_segment {
    std::shared_ptr<segment> which;
    std::uint64_t next_first_sequence = 0;
  };
  oldest_segment oldest() const;
  // Of a segment that is kept and not active any more, what an index of it says; nothing of another.
  std::optional<segment_bounds> sealed(const segment& which) const;
  // Writes the index file of a sealed segment; errc::full where the limit leaves no room for it. For recovery, too.
  io_result<void> write_index(const std::string& segment_file, const segment_bounds& as,
                              const index_contents& contents);
  // Lets go of index files until so many bytes more are within the limit. errc::full where they are not without any,
  // and another error where one cannot be removed. For recovery, too.
  io_result<void> make_room(std::uint64_t bytes);
  // Makes the oldest segment a ready file. It must have no live entry and not be active.
  void retire_oldest();
  // Preallocates another ready file, and makes room for it. errc::full at `files_max` and where the disk says so.
  io_result<void> add_file();

  // The segment whose generation ends in this, modulo segments_max; it is kept.
  segment* kept(std::uint32_t short_generation) const;
  std::uint64_t kept_count() const;
  // 0 before the first.
  std::uint64_t newest_generation() const;
  std::uint64_t live_bytes() const;
  std::uint64_t bytes_on_disk() const;

 private:
  std::uint64_t usable_after(std::uint64_t offset) const;
  // Kept, ready and left behind. Under the mutex.
  std::uint64_t files() const { return kept_.size() + ready_.size() + left_behind_; }
  std::uint64_t bytes_with(std::uint64_t more) const;
  io_result<void> drop_index(const std::string& segment_file);

  disk& disk_;
  const std::uint64_t segment_bytes_;
  const std::uint64_t files_max_;
  const std::uint64_t entry_disk_bytes_max_;

  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<segment>> kept_;
  std::vector<segment_file> ready_;
  std::uint64_t last_file_number_ = 0;
  // Files whose making failed and that could not be removed either. They take their room until the next opening.
  std::uint64_t left_behind_ = 0;
  // Index files, by the segment file that each is of, and their lengths. Only as long as there is room for them.
  std::map<std::string, std::uint64_t> index_files_;

  std::atomic<std::uint64_t> capacity_{0};
  std::atomic<std::uint64_t> promised_{0};
};

}  // namespace onceward::journal
