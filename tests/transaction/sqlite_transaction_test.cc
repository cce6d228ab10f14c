// The stories of one transaction on SQLite.
#include "onceward/sqlite_transaction.h"

#include <sqlite3.h>

#include <filesystem>
#include <string>

#include <unistd.h>

#include "tests/transaction/stories.h"

namespace onceward::transaction {
namespace {

class sqlite_database {
 public:
  using transaction_type = sqlite_transaction;
  static constexpr const char* begin = "BEGIN IMMEDIATE";

  sqlite_database() : folder_(make_folder()), owns_(true) {
    open();
    secret_ = prepare_sqlite(made_).value();
    run("CREATE TABLE effect (what text)");
  }
  explicit sqlite_database(const sqlite_database& other) : folder_(other.folder_), secret_(other.secret_) { open(); }
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
    ASSERT_EQ(sqlite3_open((folder_ + "/data").c_str(), &made_), SQLITE_OK);
    sqlite3_busy_timeout(made_, 60'000);
  }

  std::string folder_;
  bool owns_ = false;
  std::string secret_;
  sqlite3* made_ = nullptr;
};

INSTANTIATE_TYPED_TEST_SUITE_P(sqlite, one_transaction, sqlite_database);

TEST(sqlite_transaction, that_read_before_another_wrote_is_to_be_run_again) {
  sqlite_database data;
  data.run("PRAGMA journal_mode = wal");
  sqlite_database other(data);
  const identifier rules = identifier::make(data.secret(), {}).value();
  data.run("BEGIN");
  EXPECT_EQ(data.value("SELECT count(*) FROM effect"), "0");
  one_transaction<sqlite_database>::serve(other, rules, {});
  sqlite_transaction late(data.connection(), rules);
  const begun result = late.begin(identity_of(rules, {}));
  ASSERT_TRUE(std::holds_alternative<failure>(result));
  EXPECT_EQ(std::get<failure>(result).kind, failure_kind::run_again);
  data.run("ROLLBACK");
  EXPECT_TRUE(std::holds_alternative<replayed>(one_transaction<sqlite_database>::serve(data, rules, {})));
}

TEST(sqlite_transaction, keeps_its_secret_and_deletes_what_expired) {
  sqlite_database data;
  EXPECT_EQ(prepare_sqlite(data.connection()).value(), data.secret());
  const identifier rules = identifier::make(data.secret(), {.retention = std::chrono::milliseconds{1}}).value();
  one_transaction<sqlite_database>::serve(data, rules, {});
  while (data.value("SELECT count(*) FROM onceward_record") != "0") {
    data.run("BEGIN IMMEDIATE");
    ASSERT_TRUE(purge_sqlite(data.connection(), 100));
    data.run("COMMIT");
  }
}

}  // namespace
}  // namespace onceward::transaction
