#include "base/bytes.h"

#include <algorithm>

namespace onceward::base {

void byte_buffer::make_room(std::size_t bytes) {
  const std::size_t kept = size();
  // Sliding to the front moves `kept` bytes. It must win room in proportion, or a nearly full buffer that is consumed a
  // little at a time would be moved over and over.
  const std::size_t wanted = std::max(bytes, kept / 2);
  if (capacity_ - kept >= wanted) {
    if (kept != 0) std::memmove(storage_.get(), storage_.get() + front_, kept);
  } else {
    constexpr std::size_t smallest = 1024;
    const std::size_t larger = std::max(smallest, kept + wanted);
    auto moved = std::make_unique_for_overwrite<char[]>(larger);
    if (kept != 0) std::memcpy(moved.get(), storage_.get() + front_, kept);
    storage_ = std::move(moved);
    capacity_ = larger;
  }
  front_ = 0;
  back_ = kept;
}

}  // namespace onceward::base
