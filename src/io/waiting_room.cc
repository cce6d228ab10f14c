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

bool waiting_room::add(key_shard& shard, const record_key& key, waiter who) {
  const auto others = shard.waiters.find(key);
  if ((others == shard.waiters.end() ? 0 : others->second.size()) >= limits_.per_key_max) return false;
  if (!count_in(who.scope)) return false;
  shard.waiters[key].push_back(who);
  shard.size.fetch_add(1, std::memory_order_seq_cst);
  return true;
}

bool waiting_room::join(const record_key& key, waiter_scope scope, mailbox& where, mail_tag tag) {
  key_shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  return add(shard, key, {scope, &where, tag, false});
}

waiting_room::probe_place waiting_room::join_probe(const record_key& key, waiter_scope scope, mailbox& where,
                                                   mail_tag tag) {
  key_shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  if (shard.probers.try_emplace(key, prober{&where, tag}).second) return probe_place::first;
  return add(shard, key, {scope, &where, tag, true}) ? probe_place::waiting : probe_place::refused;
}

void waiting_room::leave_probe(const record_key& key, mailbox& where, mail_tag tag) {
  key_shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.probers.find(key);
  if (found != shard.probers.end() && found->second == prober{&where, tag}) shard.probers.erase(found);
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
  tell(woken, std::move(end));
}

void waiting_room::wake_all(const core::ended_attempt& end) {
  for (key_shard& shard : key_shards_) {
    std::vector<waiter> woken;
    {
      const std::lock_guard lock(shard.mutex);
      for (const auto& [key, waiters] : shard.waiters)
        woken.insert(woken.end(), waiters.begin(), waiters.end());
      shard.waiters.clear();
      shard.size.fetch_sub(woken.size(), std::memory_order_seq_cst);
    }
    tell(woken, end);
  }
}

void waiting_room::end_probe(const record_key& key, mailbox& where, mail_tag tag, core::ended_attempt end) {
  key_shard& shard = shard_of(key);
  std::vector<waiter> woken;
  {
    const std::lock_guard lock(shard.mutex);
    const auto probing = shard.probers.find(key);
    if (probing == shard.probers.end() || probing->second != prober{&where, tag}) return;
    shard.probers.erase(probing);
    const auto found = shard.waiters.find(key);
    if (found == shard.waiters.end()) return;
    std::erase_if(found->second, [&](const waiter& each) {
      if (each.joined_probe) woken.push_back(each);
      return each.joined_probe;
    });
    if (found->second.empty()) shard.waiters.erase(found);
    shard.size.fetch_sub(woken.size(), std::memory_order_seq_cst);
  }
  tell(woken, std::move(end));
}

void waiting_room::tell(const std::vector<waiter>& woken, core::ended_attempt end) {
  const auto shared_end = std::make_shared<const core::ended_attempt>(std::move(end));
  for (const waiter& each : woken) {
    count_out(each.scope);
    each.where->deliver(each.tag, shared_end);
  }
}

}  // namespace onceward::io
