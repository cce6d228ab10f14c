// The inside of a journal without threads: a test says when each part does its work, and may stand in for one.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "collecting_sink.h"
#include "settable_clock.h"
#include "simulated_disk.h"
#include "stores/journal/caretaker.h"
#include "stores/journal/cold_reader.h"
#include "stores/journal/committer.h"
#include "stores/journal/engine.h"
#include "stores/journal/log_writer.h"
#include "stores/journal/options.h"

namespace onceward::crash {

class engine_rig final : private store {
 public:
  // With the log that is on the disk, as it is: claims in flight stay so. The disk outlives it.
  engine_rig(simulated_disk& on, const journal::options& chosen);

  // Only decides it, where it cannot be answered at once.
  std::uint64_t submit(command what) { return sink_.submit(*this, std::move(what)); }
  // What the committer and the cold reader have to do.
  void step();
  reply wait(std::uint64_t tag) { return sink_.wait(tag); }
  reply ask(command what);

  void pause(std::chrono::milliseconds time) { clock_.advance(time); }

  journal::engine& shared() { return shared_; }
  journal::cold_reader& cold_reader() { return *reading_; }
  journal::caretaker& caretaker() { return *caretaking_; }

  // Where the latest durable entry of the key is, and what would write it once more.
  journal::location place_of(const record_key& key);
  journal::rewrite rewrite_of(const journal::location& where);

 private:
  void submit(command what, reply_sink& sink, std::uint64_t tag) override;
  store_statistics statistics() const override { return {}; }

  conformance::settable_clock clock_;
  conformance::collecting_sink sink_;
  const std::unique_ptr<journal::disk> mounted_;
  journal::segment_set segments_;
  journal::engine shared_;
  std::optional<journal::log_writer> log_;
  // They end in the opposite order, as a journal's do.
  std::optional<journal::committer> committing_;
  std::optional<journal::cold_reader> reading_;
  std::optional<journal::caretaker> caretaking_;
};

// Entries of the key in the log on the disk, as one who opens it finds them.
std::uint64_t entries_of(const record_key& key, simulated_disk& on);

}  // namespace onceward::crash
