// Reading one entry back from the log.
#pragma once

#include "onceward/result.h"
#include "stores/journal/block_buffer.h"
#include "stores/journal/entry.h"
#include "stores/journal/record_index.h"

namespace onceward::journal {

// One positioned read. errc::io, or errc::corrupt where something else is found: damage, or a file that has meanwhile
// become another segment. `memory` is for the bytes on their way; `in` keeps the file open.
result<entry> read_entry(const segment& in, const location& where, block_buffer& memory);

}  // namespace onceward::journal
