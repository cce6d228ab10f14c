#include "io/waiting_room.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace onceward::io {

waiter_scope waiter_scope_of(const core::scope& whose) {
  std::uint64_t number;
  std::memcpy(&number, whose.digest.data(), sizeof number);
  return waiter_scope{number};
}

bool waiting_room::count_in(waiter_scope scope) {
  if (size_.fetch_add(1, std::memory_order_relaxed) >= limits_.total_max) {
    size_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  scope_shard& shard = scope_shards_[static_cast<std::uint64_t>(scope) % shard_count];
  {
    const std::lock_guard lock(shard.mutex);
    std::size_t& count = shard.counts[scope];
    if (count < limits_.per_scope_max) {
      ++count;
      return true;
    }
  }
  size_.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

void waiting_room::count_out(waiter_scope scope) {
  size_.fetch_sub(1, std::memory_order_relaxed);
  scope_shard& shard = scope_shards_[static_cast<std::uint64_t>(scope) % shard_count];
  const std::lock_guard lock(shard.mutex);
  const auto count = shard.counts.find(scope);
  if (--count->second == 0) shard.counts.erase(count);
}

bool waiting_room::join(const record_key& key, waiter_scope scope, mailbox& where, mail_tag tag) {
  if (!count_in(scope)) return false;
  key_shard& shard = shard_of(key);
  {
    const std::lock_guard lock(shard.mutex);
    std::vector<waiter>& waiters = shard.waiters[key];
    if (waiters.size() < limits_.per_key_max) {
      waiters.push_back({scope, &where, tag});
      shard.size.fetch_add(1, std::memory_order_seq_cst);
      return true;
    }
  }
  count_out(scope);
  return false;
}

void waiting_room::leave(const record_key& key, mailbox& where, mail_tag tag) {
  key_shard& shard = shard_of(key);
  waiter_scope scope;
  {
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.waiters.find(key);
    if (found == shard.waiters.end()) return;
    std::vector<waiter>& waiters = found->second;
    const auto gone = std::find_if(waiters.begin(), waiters.end(),
                                   [&](const waiter& each) { return each.where == &where && each.tag == tag; });
    if (gone == waiters.end()) return;
    scope = gone->scope;
    *gone = waiters.back();
    waiters.pop_back();
    if (waiters.empty()) shard.waiters.erase(found);
    shard.size.fetch_sub(1, std::memory_order_seq_cst);
  }
  count_out(scope);
}

void waiting_room::wake(const record_key& key, core::ended_attempt end) {
  key_shard& shard = shard_of(key);
  // Nearly every attempt ends with nobody waiting. A waiter that is missed here joined after the record had changed,
  // and reads it.
  if (shard.size.load(std::memory_order_seq_cst) == 0) return;
  std::vector<waiter> woken;
  {
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.waiters.find(key);
    if (found == shard.waiters.end()) return;
    woken = std::move(found->second);
    shard.waiters.erase(found);
    shard.size.fetch_sub(woken.size(), std::memory_order_seq_cst);
  }
  const auto shared_end = std::make_shared<const core::ended_attempt>(std::move(end));
  for (const waiter& each : woken) {
    count_out(each.scope);
    each.where->deliver(each.tag, shared_end);
  }
}

}  // namespace onceward::io
