// The thread that answers what needs no write: it gives the answers that are known already, in one call for each sink,
// and reads from the log the records that are no longer in memory. So neither waits for a sync.
#pragma once

#include <thread>
#include <vector>

#include "core/reply_groups.h"
#include "stores/journal/block_buffer.h"
#include "stores/journal/engine.h"

namespace onceward::journal {

class responder {
 public:
  explicit responder(engine& shared);
  // Answers what is queued. Nothing is queued any more but by itself.
  ~responder();

 private:
  void run();
  void read(read_request wanted);

  engine& engine_;
  core::reply_groups replies_;
  block_buffer memory_;
  std::thread thread_;
};

}  // namespace onceward::journal
