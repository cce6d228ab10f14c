// SQLite with a write-ahead log that each commit syncs (synchronous=FULL), a cache of 256 MiB, statements prepared
// once. A group is a transaction; it has one writer at a time, so the lanes take turns.

#include <algorithm>
#include <mutex>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include "synced_groups.h"

namespace onceward::bench {
namespace {

constexpr std::uint64_t fill_batch = 10'000;

class database {
 public:
  database(const std::string& directory, const char* synchronous) {
    require(sqlite3_open((directory + "/records.db").c_str(), &handle_) == SQLITE_OK, "cannot open the database");
    run("PRAGMA journal_mode=WAL");
    run(fmt::format("PRAGMA synchronous={}", synchronous));
    run("PRAGMA cache_size=-262144");
    run("CREATE TABLE IF NOT EXISTS records (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID");
  }
  database(const database&) = delete;
  database& operator=(const database&) = delete;
  ~database() { sqlite3_close(handle_); }

  void run(const std::string& text) {
    require(sqlite3_exec(handle_, text.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK, sqlite3_errmsg(handle_));
  }
  sqlite3* handle() const { return handle_; }

 private:
  sqlite3* handle_ = nullptr;
};

class statement {
 public:
  statement(const database& in, const char* text) : in_(in.handle()) {
    require(sqlite3_prepare_v2(in_, text, -1, &handle_, nullptr) == SQLITE_OK, sqlite3_errmsg(in_));
  }
  statement(const statement&) = delete;
  statement& operator=(const statement&) = delete;
  ~statement() { sqlite3_finalize(handle_); }

  void bind(int at, const void* bytes, std::size_t size) {
    require(sqlite3_bind_blob(handle_, at, bytes, static_cast<int>(size), SQLITE_STATIC) == SQLITE_OK, "bind");
  }
  // Whether there is a row.
  bool step() {
    const int status = sqlite3_step(handle_);
    require(status == SQLITE_ROW || status == SQLITE_DONE, sqlite3_errmsg(in_));
    return status == SQLITE_ROW;
  }
  std::string_view column() {
    return {static_cast<const char*>(sqlite3_column_blob(handle_, 0)),
            static_cast<std::size_t>(sqlite3_column_bytes(handle_, 0))};
  }
  void reset() { sqlite3_reset(handle_); }

 private:
  sqlite3* in_;
  sqlite3_stmt* handle_ = nullptr;
};

class sqlite_engine final : public engine {
 public:
  sqlite_engine(const std::string& directory, const char* synchronous)
      : database_(directory, synchronous),
        find_(database_, "SELECT value FROM records WHERE key = ?1"),
        insert_(database_, "INSERT INTO records VALUES (?1, ?2)"),
        update_(database_, "UPDATE records SET value = ?2 WHERE key = ?1") {}

  // Fails for a key that is there.
  void claim(std::span<const new_record> group) override {
    const std::lock_guard lock(guard_);
    database_.run("BEGIN IMMEDIATE");
    for (const new_record& each : group)
      write(insert_, each, claim_value(each));
    database_.run("COMMIT");
  }
  void complete(std::span<const new_record> group) override {
    const std::lock_guard lock(guard_);
    database_.run("BEGIN IMMEDIATE");
    for (const new_record& each : group) {
      find_.bind(1, each.key.bytes.data(), each.key.bytes.size());
      require(find_.step() && is_of(find_.column(), each.attempt), "another attempt's record");
      find_.reset();
      write(update_, each, outcome_value(each));
    }
    database_.run("COMMIT");
  }

  void insert_completed(std::uint64_t begin, std::uint64_t end, std::uint64_t count) {
    database_.run("BEGIN IMMEDIATE");
    for (std::uint64_t i = begin; i < end; ++i) {
      const new_record made = stored_record(i, count);
      write(insert_, made, outcome_value(made));
    }
    database_.run("COMMIT");
  }
  void checkpoint() { database_.run("PRAGMA wal_checkpoint(TRUNCATE)"); }

 private:
  static void write(statement& by, const new_record& each, const std::string& value) {
    by.bind(1, each.key.bytes.data(), each.key.bytes.size());
    by.bind(2, value.data(), value.size());
    by.step();
    by.reset();
  }

  std::mutex guard_;
  database database_;
  statement find_;
  statement insert_;
  statement update_;
};

class sqlite_kind final : public engine_kind {
 public:
  std::string name() const override { return "sqlite"; }
  std::unique_ptr<engine> open(const std::string& directory) override {
    return std::make_unique<sqlite_engine>(directory, "FULL");
  }
  void fill(const std::string& directory, std::uint64_t count) override {
    {
      sqlite_engine into(directory, "OFF");
      for (std::uint64_t begin = 0; begin < count; begin += fill_batch)
        into.insert_completed(begin, std::min(begin + fill_batch, count), count);
    }
    sqlite_engine(directory, "FULL").checkpoint();
  }
};

}  // namespace
}  // namespace onceward::bench

int main(int argc, char** argv) {
  onceward::bench::sqlite_kind kind;
  return onceward::bench::run(kind, argc, argv);
}
