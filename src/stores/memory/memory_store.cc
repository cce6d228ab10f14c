#include "stores/memory/memory_store.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <variant>
#include <vector>

namespace onceward::memory_store {
namespace {

// Expired records that a command deletes by the way, so that no command pays for many.
constexpr std::size_t expired_by_the_way_max = 4;

}  // namespace

memory_store::memory_store(const options& chosen, std::function<wall_time()> now)
    : options_(chosen), now_(std::move(now)) {
  for (auto& each : shards_)
    each = std::make_unique<shard>(options_.completion_bytes_reserved);
}

void memory_store::submit(command what, reply_sink& sink, std::uint64_t tag) {
  tagged_reply answer{tag, std::visit([this](const auto& each) { return apply(each); }, what)};
  sink.deliver({&answer, 1});
}

store_statistics memory_store::statistics() const {
  const wall_time now = now_();
  store_statistics sum{.bytes_limit = options_.bytes_limit};
  for (const auto& each : shards_) {
    const std::lock_guard hold(each->mutex);
    sum.records += each->table.records();
    sum.records_unknown += each->table.records_unknown(now);
    sum.bytes += each->table.bytes();
  }
  sum.accepts_claims =
      options_.bytes_limit == 0 || bytes_reserved_.load() + options_.completion_bytes_reserved < options_.bytes_limit;
  return sum;
}

reply memory_store::apply(const claim& what) {
  const wall_time now = now_();
  const std::uint64_t bytes = shard_of(what.key).table.bytes_to_claim(what);
  bool has_room = reserve(bytes);
  if (!has_room && expire_all(now) > 0) has_room = reserve(bytes);
  reply answer = on_shard(what.key, now, [&](record_table& table) {
    return table.apply(what, now, fence{last_fence_.fetch_add(1) + 1}, has_room);
  });
  // What the record really weighs was added with it.
  if (has_room) bytes_reserved_.fetch_sub(bytes);
  return answer;
}

reply memory_store::apply(const list_unknown& what) {
  const wall_time now = now_();
  std::vector<unknown_listed::item> items;
  for (const auto& each : shards_) {
    const std::lock_guard hold(each->mutex);
    each->table.list_unknown(what.after, what.limit, now, items);
  }
  std::sort(items.begin(), items.end(), [](const auto& left, const auto& right) { return left.key < right.key; });
  if (items.size() > what.limit) items.resize(what.limit);
  return unknown_listed{std::move(items)};
}

reply memory_store::apply(const purge&) {
  return purged{expire_all(now_())};
}

template <typename Command>
reply memory_store::apply(const Command& what) {
  const wall_time now = now_();
  return on_shard(what.key, now, [&](record_table& table) { return table.apply(what, now); });
}

template <typename Work>
reply memory_store::on_shard(const record_key& key, wall_time now, Work work) {
  shard& home = shard_of(key);
  const std::lock_guard hold(home.mutex);
  const std::uint64_t before = home.table.bytes_with_reserve();
  reply answer = work(home.table);
  home.table.expire(now, expired_by_the_way_max);
  bytes_reserved_.fetch_add(home.table.bytes_with_reserve() - before);  // Wraps when the shard became lighter.
  return answer;
}

bool memory_store::reserve(std::uint64_t bytes) {
  const std::uint64_t sum = bytes_reserved_.fetch_add(bytes) + bytes;
  if (options_.bytes_limit == 0 || sum <= options_.bytes_limit) return true;
  bytes_reserved_.fetch_sub(bytes);
  return false;
}

std::uint64_t memory_store::expire_all(wall_time now) {
  std::uint64_t expired = 0;
  for (const auto& each : shards_) {
    const std::lock_guard hold(each->mutex);
    const std::uint64_t before = each->table.bytes_with_reserve();
    expired += each->table.expire(now, std::numeric_limits<std::size_t>::max());
    bytes_reserved_.fetch_add(each->table.bytes_with_reserve() - before);
  }
  return expired;
}

// The first bytes of the key choose the bucket inside the table; these are independent of them.
memory_store::shard& memory_store::shard_of(const record_key& key) {
  return *shards_[std::to_integer<std::size_t>(key.bytes.back()) % shard_count];
}

}  // namespace onceward::memory_store
