// Makes a journal that refuses to open one that opens, out of everything in it that can be proven.
//
// A new log is written from the latest entry of each key; the old files are kept beside it under other names. What is
// lost stays lost and is told (survey.h); what may have been lost is not taken for free: docs/decisions/0030 says what
// becomes of a key of which something later may have been lost.
//
// At every moment, whatever ends early, the directory holds the old journal or the repaired one (replacement.h).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "onceward/store.h"
#include "stores/journal/disk.h"
#include "stores/journal/options.h"
#include "stores/journal_check/index_check.h"
#include "stores/journal_check/survey.h"

namespace onceward::journal {

// What a repair is going to do, or has done.
struct repair_report {
  enum class outcome {
    was_sound,        // Nothing was done, but for index files that said what is not so: they were removed.
    repaired,         // A new log stands in the place of the old.
    carried_through,  // An earlier repair was cut short after it had written the new log; now it is complete.
  };
  outcome what = outcome::was_sound;
  log_survey before;                         // The old log; empty when carried through.
  std::vector<wrong_index> indexes_removed;  // Of a sound log. The segments are read instead, and get new ones.

  // The new log.
  std::uint64_t records = 0;
  std::uint64_t segments = 0;
  std::uint64_t fence_granted = 0;  // The next grant gets one more.

  // Of its records, those that lost entries may have changed:
  std::uint64_t in_flight_doubtful = 0;  // Unknown as soon as the journal is opened, as every claim in flight is.
  std::uint64_t released_doubtful = 0;   // May have been claimed again: unknown now.
  std::uint64_t unknown_doubtful = 0;    // May have been resolved: still unknown, kept for longer.
  std::uint64_t brought_back = 0;        // Found in segments that were let go of, because the later copy is lost.

  std::vector<std::pair<std::string, std::string>> moved;  // Old files, and the names they have now.
};

// `told` gets the report before anything is changed, when there is something to do; it may be empty. The error is as
// verify()'s, or `full` where the disk has no space for the new log: then nothing was changed. Memory: two segments,
// and about 100 bytes for each key.
tl::expected<repair_report, open_error> repair(disk& where, wall_time now,
                                               const std::function<void(const repair_report&)>& told);

// Larger than the number of grants that any journal can have lost: one of 400 GB is full of so many entries.
inline constexpr std::uint64_t fence_margin = std::uint64_t{1} << 32;

}  // namespace onceward::journal
