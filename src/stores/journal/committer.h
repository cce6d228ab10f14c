// The one thread that writes to the log.
//
// Whatever was queued while it synced goes into its next batch: one write, one sync, and then the answers, in one call
// for each sink. A command that comes alone is written at once. An error of a write or a sync ends the journal: what
// was in the batch may be on disk or not, so nothing is acknowledged after it.
#pragma once

#include <thread>
#include <vector>

#include "core/reply_groups.h"
#include "stores/journal/engine.h"
#include "stores/journal/log_writer.h"
#include "stores/journal/options.h"

namespace onceward::journal {

class committer {
 public:
  // `shared` and `log` outlive it.
  committer(engine& shared, log_writer& log, run_by who);
  // Writes and answers what is queued. Nothing is queued any more.
  ~committer();

  // Writes and answers what is queued now.
  void step();

 private:
  void run();
  void commit_group();
  void take(commit_item item);
  void take(change item);
  void take(const rewrite_group& group);
  void take(const rewrite& item);
  // Into the batch, behind what is there; false once the journal has failed.
  bool place(change item);
  // Writes the batch and gives the answers that waited for it.
  void flush();
  void note_durable();
  void give_up(const io_error& error);

  engine& engine_;
  log_writer& log_;
  std::vector<commit_item> group_;  // Kept for its memory.
  // What waits for the batch that is being made.
  struct placed_change {
    change what;
    location where;
  };
  std::vector<placed_change> changes_;
  std::vector<answer> answers_;
  std::vector<barrier> barriers_;
  std::uint64_t space_promised_ = 0;
  segment* last_written_ = nullptr;
  core::reply_groups replies_;
  std::thread thread_;
};

}  // namespace onceward::journal
