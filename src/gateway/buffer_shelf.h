// Spare buffers of one worker: a connection holds storage only while it has bytes, so that thousands of idle ones cost
// little, and yet nobody allocates per message.
#pragma once

#include <cstddef>
#include <vector>

#include "base/bytes.h"

namespace onceward::gateway {

class buffer_shelf {
 public:
  // What is read and written at once, and the storage of a fresh buffer.
  static constexpr std::size_t buffer_bytes = std::size_t{16} << 10;

  // Gives storage to a buffer that has none.
  void equip(base::byte_buffer& buffer) {
    if (buffer.capacity() != 0) return;
    if (!spare_.empty()) {
      buffer.swap(spare_.back());
      spare_.pop_back();
      return;
    }
    buffer.prepare(buffer_bytes);
  }

  // Takes the storage of a buffer that is empty; keeps it if it has the usual size and few are spare.
  void put_back(base::byte_buffer& buffer) {
    if (!buffer.empty() || buffer.capacity() == 0) return;
    base::byte_buffer taken;
    taken.swap(buffer);
    if (taken.capacity() <= kept_bytes_max && spare_.size() < kept_max) spare_.push_back(std::move(taken));
  }

 private:
  static constexpr std::size_t kept_bytes_max = 4 * buffer_bytes;
  static constexpr std::size_t kept_max = 256;

  std::vector<base::byte_buffer> spare_;
};

}  // namespace onceward::gateway
