// The one thread that writes to the log.
//
// Whatever is queued when somebody wants it begun, and it has synced the last, goes into its next batch: one write, one
// sync, and then the answers, in one call for each sink. An error of a write or a sync ends the journal: what was in
// the batch may be on disk or not, so nothing is acknowledged after it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "core/reply_groups.h"
#include "stores/journal/engine.h"
#include "stores/journal/log_writer.h"
#include "stores/journal/options.h"

namespace onceward::journal {

class committer {
 public:
  // `shared` and `log` outlive it. `begun` is the segment that the log goes on in, and what is in it; null for none.
  committer(engine& shared, log_writer& log, sealed_segment begun, run_by who);
  // Writes and answers what is queued. Nothing is queued any more.
  ~committer();

  // Writes and answers what is queued now.
  void step();

 private:
  void run();
  void commit_group();
  void take(const change& item);
  void take(const rewrite_group& group);
  void take(const rewrite& item);
  // Into the batch, behind what is there; nothing once the journal has failed.
  std::optional<location> place(std::string_view body);
  // The log goes on in another segment.
  void begin(segment& next);
  // Writes the batch and gives the answers that waited for it.
  void flush();
  void note_durable();
  void note_durable(const change& what, key_prefix key, const location& where);
  void note_durable(const rewrite& what, const location& where);
  void note(key_prefix key, state_kind kind, wall_time expires_at, const location& where, const entry_place& before);
  void tell(const change& what);
  void tell(const change& what, const store_failure& failure);
  void answer_others();
  void give_up(const io_error& error);

  engine& engine_;
  log_writer& log_;
  commit_batch group_;            // Kept for its memory.
  std::size_t bodies_taken_ = 0;  // Of the group.
  // What waits for the batch that is being made, in the order of the log: changes of the group, from this one on, and
  // behind them rewrites of it.
  struct placed_change {
    key_prefix key;
    location where;
  };
  struct placed_rewrite {
    const rewrite* what;
    location where;
  };
  std::size_t first_placed_ = 0;
  std::vector<placed_change> placed_;
  std::vector<placed_rewrite> rewritten_;
  std::uint64_t space_promised_ = 0;
  sealed_segment written_;  // The segment that is written to, and what is in it.
  core::reply_groups replies_;
  std::thread thread_;
};

}  // namespace onceward::journal
