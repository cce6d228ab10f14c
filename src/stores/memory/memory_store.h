// The store that keeps its records in memory: the reference implementation, and durability level `memory`. Whatever it
// holds is gone with the process.
//
// Commands are decided and answered on the submitting thread, under the lock of one of many shards for the decision and
// under none for the answer. The store has no thread of its own.
//
// It stays inside `bytes_limit`: a claim is granted only if the record and the reserve for its outcome fit. Outcomes
// are always taken, so responses larger than the reserve can carry it over the limit; claims are then refused until
// records expire. Live records are never evicted. Expired ones are deleted by the way, a few with each command.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include "onceward/store.h"
#include "stores/memory/record_table.h"

namespace onceward::memory_store {

struct options {
  std::uint64_t bytes_limit = 256ull << 20;               // 0: none.
  std::uint64_t completion_bytes_reserved = 16ull << 10;  // Room kept free for the outcome of each claim in flight.
};

class memory_store final : public store {
 public:
  // `now` is the store's clock; it is called from every thread that submits.
  memory_store(const options& chosen, std::function<wall_time()> now);

  void submit(command what, reply_sink& sink, std::uint64_t tag) override;
  store_statistics statistics() const override;

 private:
  struct shard {
    explicit shard(std::uint64_t completion_bytes_reserved) : table(completion_bytes_reserved) {}
    mutable std::mutex mutex;
    record_table table;
  };

  static constexpr std::size_t shard_count = 64;

  reply apply(const claim& what);
  reply apply(const list_unknown& what);
  reply apply(const purge& what);
  template <typename Command>
  reply apply(const Command& what);

  // Runs `work` on the key's shard and keeps the store's weight up to date.
  template <typename Work>
  reply on_shard(const record_key& key, wall_time now, Work work);
  bool reserve(std::uint64_t bytes);
  std::uint64_t expire_all(wall_time now);
  shard& shard_of(const record_key& key);

  const options options_;
  const std::function<wall_time()> now_;
  std::atomic<std::uint64_t> last_fence_{0};
  std::atomic<std::uint64_t> bytes_reserved_{0};  // Of all shards, and of claims on their way in.
  std::array<std::unique_ptr<shard>, shard_count> shards_;
};

}  // namespace onceward::memory_store
