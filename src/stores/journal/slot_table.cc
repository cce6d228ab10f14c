#include "stores/journal/slot_table.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace onceward::journal {
namespace {

constexpr std::size_t buckets_min = 16;
constexpr std::size_t spares_max = 16;

// A key is a MAC: any of its bits are as good as random. Those at its beginning are alike in one shard.
constexpr std::size_t hashed_from = 16;

}  // namespace

slot_table::~slot_table() {
  for_each([](slot& each) { delete &each; });
  while (spare_ != nullptr)
    delete std::exchange(spare_, spare_->next_alike_);
}

std::size_t slot_table::index_of(const record_key& key) const {
  std::size_t hash;
  std::memcpy(&hash, key.bytes.data() + hashed_from, sizeof hash);
  return hash & (buckets_.size() - 1);
}

slot* slot_table::find(const record_key& key) const {
  if (buckets_.empty()) return nullptr;
  slot* each = buckets_[index_of(key)];
  while (each != nullptr && each->key != key)
    each = each->next_alike_;
  return each;
}

slot& slot_table::add(const record_key& key) {
  if (size_ == buckets_.size()) grow();
  if (spare_ == nullptr) {
    spare_ = new slot;
    ++spares_;
  }
  slot& made = *spare_;
  spare_ = made.next_alike_;
  --spares_;
  made.key = key;
  made.next_alike_ = std::exchange(bucket_of(key), &made);
  ++size_;
  return made;
}

void slot_table::erase(slot& which) {
  slot_line::remove(which);
  slot** place = &bucket_of(which.key);
  while (*place != &which)
    place = &(*place)->next_alike_;
  *place = which.next_alike_;
  --size_;
  if (spares_ == spares_max) {
    delete &which;
    return;
  }
  std::destroy_at(&which);
  std::construct_at(&which);
  which.next_alike_ = std::exchange(spare_, &which);
  ++spares_;
}

void slot_table::grow() {
  const std::vector<slot*> before = std::exchange(buckets_, std::vector<slot*>(std::max(buckets_min, 2 * size_)));
  for (slot* each : before) {
    while (each != nullptr) {
      slot* const next = each->next_alike_;
      each->next_alike_ = std::exchange(bucket_of(each->key), each);
      each = next;
    }
  }
}

}  // namespace onceward::journal
