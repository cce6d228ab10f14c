// Duplicates that wait for another client's attempt or probe, whichever loop they live on.
//
// No wake-up is lost: a waiter joins first and then reads the record once more. If the attempt ended before it joined,
// the read tells; if it ends later, wake() finds the waiter. Of those who would probe for one key the first may, and
// from the same moment the others wait, for its probe or for the attempt that follows.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "core/exchange.h"
#include "core/record.h"
#include "core/scope.h"
#include "io/mailbox.h"
#include "onceward/identity.h"

namespace onceward::io {

// A number for a scope, equal for equal scopes; for counting only.
enum class waiter_scope : std::uint64_t {};

waiter_scope waiter_scope_of(const core::scope& whose);

struct waiting_room_limits {
  std::size_t total_max;
  std::size_t per_key_max;
  std::size_t per_scope_max;
};

// Any thread.
class waiting_room {
 public:
  explicit waiting_room(waiting_room_limits limits) : limits_(limits) {}
  waiting_room(const waiting_room&) = delete;
  waiting_room& operator=(const waiting_room&) = delete;

  // False over a limit. The tag is told through its mailbox, once, unless it leaves before.
  [[nodiscard]] bool join(const record_key& key, waiter_scope scope, mailbox& where, mail_tag tag);

  enum class probe_place { first, waiting, refused };
  // `waiting` is as after join(). Who is `first` counts against no limit and owes a leave_probe() or an end_probe().
  [[nodiscard]] probe_place join_probe(const record_key& key, waiter_scope scope, mailbox& where, mail_tag tag);

  // No effect for who is not first.
  void leave_probe(const record_key& key, mailbox& where, mail_tag tag);
  // Tells those who joined the probe too.
  void end_probe(const record_key& key, mailbox& where, mail_tag tag, core::ended_attempt end);

  // No effect where it was woken already.
  void leave(const record_key& key, mailbox& where, mail_tag tag);

  // Tells all who wait: an attempt ended.
  void wake(const record_key& key, core::ended_attempt end);
  // Tells all who wait for whatever key.
  void wake_all(const core::ended_attempt& end);

  std::size_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  struct waiter {
    waiter_scope scope;
    mailbox* where;
    mail_tag tag;
    bool joined_probe;
  };
  struct prober {
    mailbox* where;
    mail_tag tag;
    bool operator==(const prober&) const = default;
  };
  struct key_shard {
    std::mutex mutex;
    std::atomic<std::size_t> size = 0;  // Of the waiters. Read without the mutex by wake().
    std::unordered_map<record_key, std::vector<waiter>, core::record_key_index> waiters;
    std::unordered_map<record_key, prober, core::record_key_index> probers;
  };
  struct scope_shard {
    std::mutex mutex;
    std::unordered_map<waiter_scope, std::size_t> counts;
  };
  static constexpr std::size_t shard_count = 64;

  key_shard& shard_of(const record_key& key) { return key_shards_[core::record_key_index{}(key) % shard_count]; }
  // Under the shard's mutex.
  bool add(key_shard& shard, const record_key& key, waiter who);
  bool count_in(waiter_scope scope);
  void count_out(waiter_scope scope);
  void tell(const std::vector<waiter>& woken, core::ended_attempt end);

  waiting_room_limits limits_;
  std::atomic<std::size_t> size_ = 0;
  std::array<key_shard, shard_count> key_shards_;
  std::array<scope_shard, shard_count> scope_shards_;
};

}  // namespace onceward::io
