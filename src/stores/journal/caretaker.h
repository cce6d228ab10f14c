// The thread that keeps house: it preallocates and recycles segments, writes index files, forgets what has expired,
// moves the last live records out of old segments, and runs the commands that concern all keys. Nothing waits for it
// while there is space.
#pragma once

#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#include "onceward/store.h"
#include "stores/journal/block_buffer.h"
#include "stores/journal/engine.h"
#include "stores/journal/options.h"

namespace onceward::journal {

class caretaker {
 public:
  caretaker(engine& shared, run_by who);
  // Decides what waits for space, without waiting any more, and runs the errands that were given.
  ~caretaker();

  // Does what there is to do now.
  void step();

 private:
  void run();
  void run(const errand& asked);
  reply purge_expired();
  reply list(const list_unknown& asked);
  result<std::vector<record_key>> unknown_after(const list_unknown& asked, wall_time now);
  result<std::optional<record_summary>> summarise_unknown(const record_key& key, wall_time now);

  // So that the next opening need not read the segment.
  void keep_index(const sealed_segment& full);
  void give_back_notes();

  // Makes space until enough is free of promises, or there is none to be had.
  void make_space();
  // Keeps the log within a few times of what lives in it, before space is short.
  void tidy();

  bool retire_dead();
  std::uint64_t forget_expired();
  // Writes the live records of the oldest segment again, at the end of the log, and retires it.
  bool empty_oldest();
  class emptying;

  engine& engine_;
  std::vector<request> waiting_;  // Kept for their memory.
  std::vector<errand> errands_;
  std::vector<sealed_segment> sealed_;
  block_buffer memory_;
  std::uint64_t swept_at_generation_ = 0;
  std::uint64_t unreadable_generation_ = 0;  // A segment that cannot be emptied is not tried again.
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace onceward::journal
