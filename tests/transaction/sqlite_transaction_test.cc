// The stories of one transaction on SQLite.
#include "onceward/sqlite_transaction.h"

#include <string>

#include "tests/transaction/sqlite_database.h"
#include "tests/transaction/stories.h"

namespace onceward::transaction {
namespace {

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
