// Checks a journal that nobody has open. Changes nothing but the lock file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "onceward/store.h"
#include "stores/journal/disk.h"
#include "stores/journal/options.h"
#include "stores/journal_check/index_check.h"
#include "stores/journal_check/survey.h"

namespace onceward::journal {

// Keys by the state of their record: the latest entry that could be read.
struct record_counts {
  std::uint64_t in_flight = 0;
  std::uint64_t completed = 0;
  std::uint64_t released = 0;
  std::uint64_t unknown = 0;
  std::uint64_t expired = 0;  // Of any state; opening forgets them.
};

struct verification {
  log_survey log;
  record_counts records;
  bool repair_was_cut_short = false;     // To be carried through; the findings are of what is there meanwhile.
  std::vector<std::string> kept_aside;   // Old files of earlier repairs.
  std::vector<std::string> left_behind;  // Files of a repair that ended before it changed anything.

  index_report indexes;  // Of a log without findings.

  bool is_sound() const { return log.findings.empty() && indexes.wrong.empty() && !repair_was_cut_short; }
};

// Reads everything, a sound log twice. Memory: a segment, and about 200 bytes for each key. The error says who holds
// the journal (busy), that there is none (not_found), or why it cannot be read at all (io, version).
tl::expected<verification, open_error> verify(disk& where, wall_time now);

}  // namespace onceward::journal
