// A journal on a simulated disk beside a model that gets the same commands.
//
// For each key the rig remembers every stage of its record, and between which operations of the disk each came to be
// asked for and acknowledged. So what a restart or a power cut left can be held against all that it may be: nothing
// that was acknowledged is missing, and nothing is there that was not asked for.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collecting_sink.h"
#include "model_record.h"
#include "settable_clock.h"
#include "simulated_disk.h"
#include "stores/journal/journal.h"
#include "stores/journal/segment_header.h"

namespace onceward::crash {

// Options that make everything happen soon: files change hands every few commands.
journal::options small_journal();

class journal_rig {
 public:
  static constexpr std::uint64_t everything = std::numeric_limits<std::uint64_t>::max();

  // Its commands are for the first `keys` keys of sample_commands.h.
  explicit journal_rig(std::uint64_t keys, const journal::options& chosen = small_journal());

  // The same keys, clock and memory of what was asked, on another disk.
  journal_rig(const journal_rig& other, platter holds);

  // Opens the journal on the disk as it is. An error is the caller's to judge. In steps, the same seed is the same run.
  std::optional<journal::open_error> open(journal::run_by who = journal::run_by::threads);
  void close() { opened_.reset(); }
  // From the next opening on.
  void set_bytes_limit(std::uint64_t bytes) { options_.bytes_limit = bytes; }
  journal::journal& opened() { return *opened_; }
  simulated_disk& disk() { return *disk_; }
  void pause(std::chrono::milliseconds time) { clock_.advance(time); }
  wall_time now() const { return clock_.now(); }

  // Gives the command to both and compares what they say. One that the journal definitely refuses, for want of space or
  // because it has failed, is one that the model did not see; after an indefinite failure it may or may not be. Returns
  // the journal's reply.
  reply run(const command& what);
  // The same with all of them outstanding at once: one for each key at most, and none that concerns all keys.
  std::vector<reply> run_together(std::span<const command> commands);
  // Asks the journal alone, and judges nothing.
  reply ask(const command& what);

  // Compares what the journal, just opened, holds with what it may hold after the first `operations` that its memory
  // speaks of, and goes on from there. Says what differs.
  std::string compare_after_opening(std::uint64_t operations = everything);
  // Compares what it holds now. Says what differs.
  std::string compare();

  // What shows that a run went where it was meant to go.
  std::uint64_t refused_for_space() const { return refused_for_space_; }
  journal::segment_header newest_segment() const;

 private:
  // A record as one more command made it. Operations are counted from the disk's first.
  struct stage {
    model_record record;
    std::uint64_t asked_after = 0;                    // When it was submitted, so many operations had been carried out;
    std::optional<std::uint64_t> answered_after = 0;  // and when its reply had come. Nothing: nobody knows.
  };

  // Where no threads do, does what there is to do.
  void step();
  void judge(const command& what, const reply& is, std::uint64_t asked_after);
  // Whether the reply had come when so many operations had been carried out.
  static bool is_acknowledged(const stage& of, std::uint64_t operations);
  reply expected_list(const list_unknown& what) const;

  journal::options options_;
  conformance::settable_clock clock_;
  std::map<record_key, std::vector<stage>> stages_;  // None is without a first one.
  std::uint64_t refused_for_space_ = 0;

  std::unique_ptr<simulated_disk> disk_;
  conformance::collecting_sink sink_;
  std::unique_ptr<journal::journal> opened_;
  bool in_steps_ = false;
};

}  // namespace onceward::crash
