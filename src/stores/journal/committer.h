// Writes to the log: on a thread of its own, or on one that has gathered and is idle, and so on one at a time.
//
// Whatever is queued when somebody wants it begun, and the last is synced, goes into the next batch: one write, one
// sync, and then the answers, in one call for each sink. An error of a write or a sync ends the journal: what was in
// the batch may be on disk or not, so nothing is acknowledged after it.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "core/reply_groups.h"
#include "stores/journal/commit_policy.h"
#include "stores/journal/engine.h"
#include "stores/journal/log_writer.h"
#include "stores/journal/options.h"

namespace onceward::journal {

class committer {
 public:
  // `shared` and `log` outlive it. `begun` is the segment that the log goes on in, and what is in it; null for none.
  committer(engine& shared, log_writer& log, sealed_segment begun, run_by who, idle_commits by_idle_threads);
  // Writes and answers what is queued. Nothing is queued any more.
  ~committer();

  // Begins with what is queued, for a thread that has gathered. An idle one may do it by itself and then returns when
  // it is done.
  void flush(caller is);

  // Writes and answers what is queued now.
  void step();

 private:
  void run();
  // Commits what is queued, if something is. Under the mutex, like all below.
  bool commit_group();
  void take(const change& item);
  void take(const rewrite_group& group);
  void take(const rewrite& item);
  // Into the batch, behind what is there; nothing once the journal has failed.
  std::optional<location> place(std::string_view body);
  // The log goes on in another segment.
  void begin(segment& next);
  // Writes the batch and gives the answers that waited for it.
  void write();
  void note_durable();
  void note_durable(const change& what, key_prefix key, const location& where);
  void note_durable(const rewrite& what, const location& where);
  void note(key_prefix key, state_kind kind, wall_time expires_at, const location& where, const entry_place& before);
  void tell(const change& what);
  void tell(const change& what, const store_failure& failure);
  void answer_others();
  void give_up(const io_error& error);

  engine& engine_;
  commit_policy policy_;
  // Held across write and sync. Its own thread waits for it, and nobody else does.
  std::mutex mutex_;
  // Under it, all of these.
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
  std::chrono::nanoseconds disk_took_{0};  // For the group.

  std::thread thread_;
};

}  // namespace onceward::journal
