// The thread that reads from the log the records that are no longer in memory, so that no event loop waits for a disk.
#pragma once

#include <thread>

#include "stores/journal/block_buffer.h"
#include "stores/journal/engine.h"

namespace onceward::journal {

class cold_reader {
 public:
  explicit cold_reader(engine& shared);
  // Reads what is queued. Nothing is queued any more but by itself.
  ~cold_reader();

 private:
  void run();
  void read(read_request wanted);

  engine& engine_;
  block_buffer memory_;
  std::thread thread_;
};

}  // namespace onceward::journal
