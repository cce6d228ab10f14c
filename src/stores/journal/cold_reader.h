// The thread that reads from the log the records that are no longer in memory, so that no event loop waits for a disk.
#pragma once

#include <thread>
#include <vector>

#include "onceward/result.h"
#include "stores/journal/block_buffer.h"
#include "stores/journal/engine.h"
#include "stores/journal/options.h"

namespace onceward::journal {

// Looks in the log for the record of a key that is not in memory: among all that it may be, latest first. What comes of
// it is judged by whoever asked, under the shard's lock, by what is there then. errc::io or errc::corrupt where an
// entry cannot be read that may be the record.
result<cold_reading> read_cold(engine& in, const record_key& key, block_buffer& memory);

class cold_reader {
 public:
  cold_reader(engine& shared, run_by who);
  // Reads what is queued. Nothing is queued any more but by itself.
  ~cold_reader();

  // Reads what is queued now.
  void step();

 private:
  void run();
  void read_group();
  void read(read_request wanted);

  engine& engine_;
  std::vector<read_request> group_;  // Kept for its memory.
  block_buffer memory_;
  std::thread thread_;
};

}  // namespace onceward::journal
