// A SQLite database of a test's own, in a folder that goes with it; as stories.h wants it.
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <unistd.h>

#include "onceward/sqlite_transaction.h"

namespace onceward::transaction {

struct sqlite_opening {
  const char* file_system = nullptr;  // SQLite's name of it; its default where null.
  std::string query = {};             // "?psow=0"
};

class sqlite_database {
 public:
  using transaction_type = sqlite_transaction;
  static constexpr const char* begin = "BEGIN IMMEDIATE";

  // `opened` says which file system of SQLite's it is opened with, and how.
  explicit sqlite_database(const sqlite_opening& opened = {}) : opened_(opened), folder_(make_folder()), owns_(true) {
    open();
    secret_ = prepare_sqlite(made_).value();
    run("CREATE TABLE effect (what text)");
  }
  explicit sqlite_database(const sqlite_database& other)
      : opened_(other.opened_), folder_(other.folder_), secret_(other.secret_) {
    open();
  }
  // What a process finds that opens the file after this one's end, at this moment.
  sqlite_database after_the_end_of_the_process() const {
    std::string copy = make_folder();
    for (const char* name : {"data", "data-journal", "data-wal"}) {
      if (std::filesystem::exists(folder_ + "/" + name)) std::filesystem::copy(folder_ + "/" + name, copy + "/" + name);
    }
    return sqlite_database(copy, secret_);
  }
  sqlite_database& operator=(const sqlite_database&) = delete;
  ~sqlite_database() {
    sqlite3_close(made_);
    if (owns_) std::filesystem::remove_all(folder_);
  }

  sqlite3* connection() { return made_; }
  const std::string& secret() const { return secret_; }

  bool try_run(const std::string& sql) {
    return sqlite3_exec(made_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  }
  void run(const std::string& sql) { ASSERT_TRUE(try_run(sql)) << sql << ": " << sqlite3_errmsg(made_); }
  std::string value(const std::string& sql) {
    std::string found;
    const auto keep = [](void* into, int, char** values, char**) {
      *static_cast<std::string*>(into) = values[0] == nullptr ? "" : values[0];
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(made_, sql.c_str(), keep, &found, nullptr), SQLITE_OK) << sqlite3_errmsg(made_);
    return found;
  }

 private:
  static std::string make_folder() {
    std::string name = testing::TempDir() + "onceward-sqlite-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    return name;
  }

  void open() {
    const std::string name = "file:" + folder_ + "/data" + opened_.query;
    ASSERT_EQ(sqlite3_open_v2(name.c_str(), &made_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI,
                              opened_.file_system),
              SQLITE_OK);
    sqlite3_busy_timeout(made_, 60'000);
  }

  sqlite_database(std::string folder, std::string secret)
      : folder_(std::move(folder)), owns_(true), secret_(std::move(secret)) {
    open();
  }

  sqlite_opening opened_;
  std::string folder_;
  bool owns_ = false;
  std::string secret_;
  sqlite3* made_ = nullptr;
};

}  // namespace onceward::transaction
