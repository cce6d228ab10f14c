#include "io/mailbox.h"

#include <iterator>
#include <utility>

#include "base/assert.h"

namespace onceward::io {
namespace {

constexpr int index_shift = 1;
constexpr int generation_shift = 32;
constexpr std::uint64_t index_mask = 0x7fffffff;

}  // namespace

mail_tag mailbox::add(mail_receiver& receiver) {
  if (free_slots_.empty()) {
    onceward_assert(slots_.size() < index_mask);
    free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t index = free_slots_.back();
  free_slots_.pop_back();
  slots_[index].receiver = &receiver;
  return (std::uint64_t{slots_[index].generation} << generation_shift) | (std::uint64_t{index} << index_shift);
}

void mailbox::remove(mail_tag tag) {
  onceward_assert(receiver_of(tag) != nullptr);
  const auto index = static_cast<std::uint32_t>((tag >> index_shift) & index_mask);
  slots_[index].receiver = nullptr;
  ++slots_[index].generation;
  free_slots_.push_back(index);
}

mail_receiver* mailbox::receiver_of(mail_tag tag) const {
  const std::size_t index = (tag >> index_shift) & index_mask;
  if (index >= slots_.size() || slots_[index].generation != tag >> generation_shift) return nullptr;
  return slots_[index].receiver;
}

void mailbox::deliver(std::span<tagged_reply> replies) {
  if (replies.empty()) return;
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    wake = waiting_.empty();
    waiting_.replies.insert(waiting_.replies.end(), std::make_move_iterator(replies.begin()),
                            std::make_move_iterator(replies.end()));
  }
  if (wake) wake_up_.notify();
}

void mailbox::deliver(mail_tag tag, std::shared_ptr<const core::ended_attempt> end) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    wake = waiting_.empty();
    waiting_.ends.push_back({tag, std::move(end)});
  }
  if (wake) wake_up_.notify();
}

void mailbox::hand_out() {
  {
    const std::lock_guard lock(mutex_);
    std::swap(opened_, waiting_);
  }
  for (const told_end& each : opened_.ends) {
    if (mail_receiver* const receiver = receiver_of(each.tag)) receiver->attempt_ended(*each.end);
  }
  opened_.ends.clear();
  for (tagged_reply& each : opened_.replies) {
    mail_receiver* const receiver = receiver_of(each.tag);
    if (receiver != nullptr) receiver->store_replied(std::move(each.value), (each.tag & 1) != 0);
  }
  opened_.replies.clear();
}

}  // namespace onceward::io
