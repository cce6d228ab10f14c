// The journal that ships, on a disk in memory, run in steps by the schedule; and the machine that it lives on, which
// loses its process or its power while the journal is about something.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "onceward/store.h"
#include "simulated_disk.h"
#include "stores/journal/journal.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/process.h"
#include "tests/simulation/scenario.h"

namespace onceward::simulation {

// The journal as one process has it open: what goes in and comes out is seen by the observer.
class journal_store final : public store, private reply_sink {
 public:
  // Nothing, and why, where the journal refuses to open.
  static std::unique_ptr<journal_store> open(process& in, crash::simulated_disk& on, const scenario& about,
                                             observer& sees, std::string& refusal);
  ~journal_store() override;

  void submit(command what, reply_sink& sink, std::uint64_t tag) override;
  // What is gathered and never flushed is never written.
  void gather(command what, reply_sink& sink, std::uint64_t tag) override;
  void flush(caller is) override;
  store_statistics statistics() const override { return journal_->statistics(); }
  bool has_failed() const { return !journal_->failure().empty(); }

  // An orderly end: writes and answers what is outstanding. Nothing is submitted any more.
  void close() { journal_.reset(); }

  // Does everything that is queued, and says what it has of a key.
  reply find_now(const record_key& key);
  // Calls `instead` where the committer would have taken its next step.
  void instead_of_next_commit(std::function<void()> instead) { instead_ = std::move(instead); }
  // The committer's next step, in which the process is going to end: its replies are heard by nobody.
  void commit_for_nobody();

 private:
  struct asked {
    command what;
    reply_sink* sink;
    std::uint64_t tag;
    wall_time when;
  };

  journal_store(process& in, const scenario& about, observer& sees)
      : in_(in), loops_commit_(about.loops_commit), sees_(sees) {}
  void deliver(std::span<tagged_reply> replies) override;
  std::uint64_t note(const command& what, reply_sink& sink, std::uint64_t tag);
  // Plans the steps that have become due.
  void look();
  void plan(journal::journal::part which, std::chrono::microseconds delay);

  bool loop_commits();

  process& in_;
  const double loops_commit_;
  observer& sees_;
  std::unique_ptr<journal::journal> journal_;
  std::vector<asked> asked_;  // By the tags that the journal is given. A sink of null has been answered.
  bool planned_[3] = {};
  std::function<void()> instead_;
  bool deaf_ = false;
};

}  // namespace onceward::simulation
