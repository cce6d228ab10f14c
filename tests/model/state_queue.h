// States still to be visited, first in, first out, packed one after the other in pieces. What does not fit into memory
// waits in an unnamed file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <memory>
#include <vector>

#include "tests/model/fingerprint_set.h"
#include "tests/model/state.h"

namespace onceward::model {

class state_queue {
 public:
  state_queue() = default;
  state_queue(const state_queue&) = delete;
  state_queue& operator=(const state_queue&) = delete;
  ~state_queue();

  void push(fingerprint_set::place at, const std::byte* packed, std::size_t size);
  // `at` is the place that the state was pushed with.
  state pop(fingerprint_set::place& at);
  std::uint64_t size() const { return size_; }

 private:
  static constexpr std::size_t piece_bytes = 1 << 20;
  static constexpr std::size_t pieces_in_memory_max = 1'024;
  static constexpr std::size_t header_bytes = sizeof(fingerprint_set::place) + sizeof(std::uint32_t);

  struct contents {
    std::size_t used = 0;
    std::byte bytes[piece_bytes];
  };
  struct piece {
    std::unique_ptr<contents> held;  // Null while it is in the file.
    long place = 0;                  // In the file.
  };

  void put_away(piece& last);
  void bring_back(piece& first);

  std::deque<piece> pieces_;
  std::size_t in_memory_ = 0;
  std::size_t read_ = 0;  // Of the first piece.
  std::uint64_t size_ = 0;
  std::FILE* file_ = nullptr;
  long file_end_ = 0;
  std::vector<long> file_free_;
};

}  // namespace onceward::model
