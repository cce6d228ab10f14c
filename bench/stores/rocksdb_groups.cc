// RocksDB: a group is a WriteBatch that is synced with its log. Tuned for point lookups: a Bloom filter, a cache of
// 256 MiB, nothing compressed, log files used again.

#include <array>
#include <memory>
#include <string>
#include <utility>

#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include "synced_groups.h"

namespace onceward::bench {
namespace {

constexpr std::uint64_t fill_batch = 10'000;

rocksdb::Slice slice_of(const record_key& key) {
  return {reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size()};
}

void require_good(const rocksdb::Status& status) {
  require(status.ok(), status.ToString());
}

std::unique_ptr<rocksdb::DB> opened(const std::string& directory) {
  rocksdb::Options chosen;
  chosen.create_if_missing = true;
  chosen.compression = rocksdb::kNoCompression;
  chosen.recycle_log_file_num = 4;  // A commit into space that the file has already is cheaper.
  chosen.IncreaseParallelism(2);
  rocksdb::BlockBasedTableOptions table;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.block_cache = rocksdb::NewLRUCache(256 << 20);
  chosen.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::DB* found = nullptr;
  require_good(rocksdb::DB::Open(chosen, directory, &found));
  return std::unique_ptr<rocksdb::DB>(found);
}

class rocksdb_engine final : public engine {
 public:
  explicit rocksdb_engine(const std::string& directory) : database_(opened(directory)) { synced_.sync = true; }

  void claim(std::span<const new_record> group) override {
    rocksdb::WriteBatch batch;
    rocksdb::PinnableSlice found;
    for (const new_record& each : group) {
      const auto status =
          database_->Get(rocksdb::ReadOptions(), database_->DefaultColumnFamily(), slice_of(each.key), &found);
      require(status.IsNotFound(), "a new key is there");
      require_good(batch.Put(slice_of(each.key), claim_value(each)));
    }
    require_good(database_->Write(synced_, &batch));
  }
  void complete(std::span<const new_record> group) override {
    rocksdb::WriteBatch batch;
    for (const new_record& each : group) {
      rocksdb::PinnableSlice found;
      require_good(
          database_->Get(rocksdb::ReadOptions(), database_->DefaultColumnFamily(), slice_of(each.key), &found));
      require(is_of(found.ToStringView(), each.attempt), "another attempt's record");
      require_good(batch.Put(slice_of(each.key), outcome_value(each)));
    }
    require_good(database_->Write(synced_, &batch));
  }

 private:
  std::unique_ptr<rocksdb::DB> database_;
  rocksdb::WriteOptions synced_;
};

class rocksdb_kind final : public engine_kind {
 public:
  std::string name() const override { return "rocksdb"; }
  std::unique_ptr<engine> open(const std::string& directory) override {
    return std::make_unique<rocksdb_engine>(directory);
  }
  void fill(const std::string& directory, std::uint64_t count) override {
    const auto into = opened(directory);
    rocksdb::WriteOptions unlogged;
    unlogged.disableWAL = true;
    for (std::uint64_t begin = 0; begin < count; begin += fill_batch) {
      rocksdb::WriteBatch batch;
      for (std::uint64_t i = begin; i < std::min(begin + fill_batch, count); ++i) {
        const new_record made = stored_record(i, count);
        require_good(batch.Put(slice_of(made.key), outcome_value(made)));
      }
      require_good(into->Write(unlogged, &batch));
    }
    require_good(into->Flush(rocksdb::FlushOptions()));
    require_good(into->CompactRange(rocksdb::CompactRangeOptions(), nullptr, nullptr));
  }
};

}  // namespace
}  // namespace onceward::bench

int main(int argc, char** argv) {
  onceward::bench::rocksdb_kind kind;
  return onceward::bench::run(kind, argc, argv);
}
