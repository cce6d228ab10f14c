// Opening a log: from the bytes on the disk to the index, and to the place where the next batch goes.
#pragma once

#include <cstdint>

#include "onceward/store.h"
#include "stores/journal/engine.h"
#include "stores/journal/log_scan.h"
#include "stores/journal/log_writer.h"
#include "stores/journal/options.h"

namespace onceward::journal {

struct recovered_log {
  log_writer::position end;
  sealed_segment begun;  // The segment that the log goes on in, and what is in it; null for none.
  std::uint64_t fence_granted;
};

// Makes the log that was found durable, fills the index from it and hands its files to the engine's segments. A sealed
// segment is read only where it has no index file, and gets one then; the last one is always read. Of what is unused,
// files of another length are removed, and so are those whose making was interrupted. Unused files and index files that
// the limit leaves no room for are removed, too: an earlier removal may have failed or been lost, or the limit lowered.
tl::expected<recovered_log, damage> recover(scanned_log& found, disk& where, engine& into);

// Makes every claim in flight unknown, and queues that to be written as far as there is space. Before the committer
// starts.
tl::expected<void, damage> abandon_claims(engine& opened);

// The damage in a sentence for people, with what to do about it.
open_error refusal(const damage& found, const disk& where);

}  // namespace onceward::journal
