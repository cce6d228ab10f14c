#include "tests/model/state_queue.h"

#include <cstring>
#include <utility>

#include "base/assert.h"

namespace onceward::model {

using place = fingerprint_set::place;

state_queue::~state_queue() {
  if (file_ != nullptr) std::fclose(file_);
}

void state_queue::push(place at, const std::byte* packed, std::size_t size) {
  if (pieces_.empty() || pieces_.back().held->used + header_bytes + size > piece_bytes) {
    if (in_memory_ >= pieces_in_memory_max) put_away(pieces_.back());
    pieces_.push_back({std::make_unique<contents>(), 0});
    ++in_memory_;
  }
  contents& last = *pieces_.back().held;
  const auto length = static_cast<std::uint32_t>(size);
  std::memcpy(last.bytes + last.used, &at, sizeof at);
  std::memcpy(last.bytes + last.used + sizeof at, &length, sizeof length);
  std::memcpy(last.bytes + last.used + header_bytes, packed, size);
  last.used += header_bytes + size;
  ++size_;
}

state state_queue::pop(place& at) {
  if (read_ != 0 && read_ == pieces_.front().held->used) {
    pieces_.pop_front();
    --in_memory_;
    read_ = 0;
  }
  piece& first = pieces_.front();
  if (first.held == nullptr) bring_back(first);
  const std::byte* from = first.held->bytes + read_;
  std::uint32_t length;
  std::memcpy(&at, from, sizeof at);
  std::memcpy(&length, from + sizeof at, sizeof length);
  read_ += header_bytes + length;
  --size_;
  return unpack(from + header_bytes);
}

void state_queue::put_away(piece& last) {
  if (file_ == nullptr) file_ = std::tmpfile();
  onceward_assert(file_ != nullptr);
  if (file_free_.empty()) {
    last.place = std::exchange(file_end_, file_end_ + static_cast<long>(sizeof(contents)));
  } else {
    last.place = file_free_.back();
    file_free_.pop_back();
  }
  const bool written =
      std::fseek(file_, last.place, SEEK_SET) == 0 && std::fwrite(last.held.get(), sizeof(contents), 1, file_) == 1;
  onceward_assert(written && "the disk takes what does not fit into memory");
  last.held.reset();
  --in_memory_;
}

void state_queue::bring_back(piece& first) {
  first.held = std::make_unique<contents>();
  ++in_memory_;
  const bool read =
      std::fseek(file_, first.place, SEEK_SET) == 0 && std::fread(first.held.get(), sizeof(contents), 1, file_) == 1;
  onceward_assert(read);
  file_free_.push_back(first.place);
}

}  // namespace onceward::model
