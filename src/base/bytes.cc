#include "base/bytes.h"

#include <algorithm>

namespace onceward::base {

void byte_buffer::make_room(std::size_t bytes) {
  const std::size_t kept = size();
  // Moving to the front pays only when the gap there is at least as large as what must be moved; otherwise a buffer
  // that is consumed a little at a time would be copied over and over.
  if (capacity_ - kept >= bytes && front_ >= kept) {
    std::memmove(storage_.get(), storage_.get() + front_, kept);
  } else {
    constexpr std::size_t smallest = 1024;
    const std::size_t larger = std::max({smallest, kept + bytes, kept + kept / 2});
    auto moved = std::make_unique_for_overwrite<char[]>(larger);
    if (kept != 0) std::memcpy(moved.get(), storage_.get() + front_, kept);
    storage_ = std::move(moved);
    capacity_ = larger;
  }
  front_ = 0;
  back_ = kept;
}

}  // namespace onceward::base
