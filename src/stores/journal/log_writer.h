// Writes entries to the end of the log, a batch at a time. The committer's own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "onceward/store.h"
#include "stores/journal/batch.h"
#include "stores/journal/block_buffer.h"
#include "stores/journal/disk.h"
#include "stores/journal/options.h"
#include "stores/journal/record_index.h"
#include "stores/journal/segments.h"

namespace onceward::journal {

class log_writer {
 public:
  struct position {
    std::shared_ptr<segment> active;  // Null: begin with a new segment.
    std::uint64_t offset = 0;
    std::uint64_t next_sequence = 1;
  };

  // `fence_granted` gives the largest fence granted so far, for the headers of new segments.
  log_writer(segment_set& segments, position end, durability level, std::function<wall_time()> now,
             std::function<std::uint64_t()> fence_granted);

  // Adds the entry with this body to the batch and says where it will be. False if the batch must be written first.
  io_result<bool> add(std::string_view body, location& where);

  // Writes the batch, if there is anything in it, and makes it as durable as the level says. After an error the writer
  // is not used again.
  io_result<void> write();

  // For an orderly end at level `written`: what was written survives the power, too.
  io_result<void> sync();

  // Where an error happened.
  std::string place() const;

 private:
  bool has_room(std::size_t entry_bytes) const;
  void start_write_back();
  io_result<void> rotate();

  segment_set& segments_;
  position end_;
  std::uint64_t handed_to_disk_;  // Up to here, in the active segment. At level `written` alone.
  const durability level_;
  const std::function<wall_time()> now_;
  const std::function<std::uint64_t()> fence_granted_;
  batch_builder batch_;
  block_buffer memory_;
};

}  // namespace onceward::journal
