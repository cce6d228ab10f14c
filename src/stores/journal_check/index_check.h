// Whether the index files of a sound log say what its segments say. Opening believes an index that passes its checksum;
// this reads the segments and compares.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "onceward/store.h"
#include "stores/journal/disk.h"
#include "stores/journal/log_scan.h"

namespace onceward::journal {

struct wrong_index {
  std::string file;
  std::string what;  // A clause for people.
};

struct index_report {
  std::uint64_t right = 0;
  std::vector<std::string> unused;  // Opening does not use these: damaged, or of what is no segment any more.
  std::vector<wrong_index> wrong;   // Opening would use these. To be removed: the segments are read then.
};

// Changes nothing. Memory: a segment and its index, and about 100 bytes for each key. The error is of the log.
tl::expected<index_report, damage> check_indexes(disk& where, wall_time now);

}  // namespace onceward::journal
