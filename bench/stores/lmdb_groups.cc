// LMDB: a group is a transaction; a commit syncs. It has one writer at a time, so the lanes take turns.

#include <algorithm>
#include <string>
#include <string_view>

#include <lmdb.h>

#include "synced_groups.h"

namespace onceward::bench {
namespace {

constexpr std::size_t map_bytes = 256ull << 30;  // Address space, not memory.
constexpr std::uint64_t fill_batch = 10'000;

void require_good(int status) {
  require(status == MDB_SUCCESS, mdb_strerror(status));
}

MDB_val value_of(const void* bytes, std::size_t size) {
  return {size, const_cast<void*>(bytes)};
}
MDB_val value_of(const record_key& key) {
  return value_of(key.bytes.data(), key.bytes.size());
}

class environment {
 public:
  environment(const std::string& directory, unsigned flags) {
    require_good(mdb_env_create(&handle_));
    require_good(mdb_env_set_mapsize(handle_, map_bytes));
    require_good(mdb_env_open(handle_, directory.c_str(), flags, 0600));
  }
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;
  ~environment() { mdb_env_close(handle_); }

  MDB_env* handle() const { return handle_; }

 private:
  MDB_env* handle_ = nullptr;
};

class transaction {
 public:
  explicit transaction(const environment& in) {
    require_good(mdb_txn_begin(in.handle(), nullptr, 0, &handle_));
    require_good(mdb_dbi_open(handle_, nullptr, 0, &table_));
  }
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;
  ~transaction() {
    if (handle_ != nullptr) mdb_txn_abort(handle_);
  }

  void put(const record_key& key, std::string_view value, unsigned flags) {
    MDB_val at = value_of(key);
    MDB_val bytes = value_of(value.data(), value.size());
    require_good(mdb_put(handle_, table_, &at, &bytes, flags));
  }
  // Empty if there is none.
  std::string_view get(const record_key& key) {
    MDB_val at = value_of(key);
    MDB_val found{};
    const int status = mdb_get(handle_, table_, &at, &found);
    if (status == MDB_NOTFOUND) return {};
    require_good(status);
    return {static_cast<const char*>(found.mv_data), found.mv_size};
  }
  void commit() {
    MDB_txn* done = handle_;
    handle_ = nullptr;
    require_good(mdb_txn_commit(done));
  }

 private:
  MDB_txn* handle_ = nullptr;
  MDB_dbi table_ = 0;
};

class lmdb_engine final : public engine {
 public:
  explicit lmdb_engine(const std::string& directory) : environment_(directory, MDB_NORDAHEAD) {}

  void claim(std::span<const new_record> group) override {
    transaction all(environment_);
    for (const new_record& each : group)
      all.put(each.key, claim_value(each), MDB_NOOVERWRITE);  // Fails for a key that is there.
    all.commit();
  }
  void complete(std::span<const new_record> group) override {
    transaction all(environment_);
    for (const new_record& each : group) {
      require(is_of(all.get(each.key), each.attempt), "another attempt's record");
      all.put(each.key, outcome_value(each), 0);
    }
    all.commit();
  }

 private:
  environment environment_;
};

class lmdb_kind final : public engine_kind {
 public:
  std::string name() const override { return "lmdb"; }
  std::unique_ptr<engine> open(const std::string& directory) override {
    return std::make_unique<lmdb_engine>(directory);
  }
  void fill(const std::string& directory, std::uint64_t count) override {
    const environment into(directory, MDB_NOSYNC);
    for (std::uint64_t begin = 0; begin < count; begin += fill_batch) {
      transaction all(into);
      for (std::uint64_t i = begin; i < std::min(begin + fill_batch, count); ++i) {
        const new_record made = stored_record(i, count);
        all.put(made.key, outcome_value(made), MDB_APPEND);
      }
      all.commit();
    }
    require_good(mdb_env_sync(into.handle(), 1));
  }
};

}  // namespace
}  // namespace onceward::bench

int main(int argc, char** argv) {
  onceward::bench::lmdb_kind kind;
  return onceward::bench::run(kind, argc, argv);
}
