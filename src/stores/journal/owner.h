// One process at a time has a journal's directory: to run it, to check it or to repair it.
#pragma once

#include <memory>

#include "onceward/store.h"
#include "stores/journal/disk.h"
#include "stores/journal/options.h"

namespace onceward::journal {

// Takes the directory's lock until the result is destroyed. errc::busy with who holds it, in a sentence for people.
tl::expected<std::unique_ptr<disk_lock>, open_error> own(disk& where, wall_time now);

// For who does not want to make one.
open_error no_journal(const disk& where);

}  // namespace onceward::journal
