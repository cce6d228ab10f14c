// COMMITs of SQLite that fail: what is said to be certain is true, in this process and for the next.
#include <string>

#include "tests/transaction/failing_files.h"
#include "tests/transaction/sqlite_database.h"
#include "tests/transaction/stories.h"

namespace onceward::transaction {
namespace {

using story = one_transaction<sqlite_database>;

// A transaction that only its COMMIT is missing to.
run ready_to_commit(sqlite_database& data, sqlite_transaction& with, const identifier& rules) {
  data.run("BEGIN IMMEDIATE");
  const begun first = with.begin(identity_of(rules, {}));
  EXPECT_TRUE(std::holds_alternative<run>(first));
  data.run("INSERT INTO effect VALUES ('x')");
  EXPECT_TRUE(with.complete(std::get<run>(first), created()));
  return std::get<run>(first);
}

std::string effects(sqlite_database& data) {
  return data.value("SELECT count(*) FROM effect");
}

// That the key says what became of the effect, so that a retry makes one of it.
void expect_in_step(sqlite_database& data, const identifier& rules) {
  const bool happened = effects(data) == "1";
  EXPECT_EQ(std::holds_alternative<replayed>(story::serve(data, rules, {})), happened);
  EXPECT_EQ(effects(data), "1");
}

TEST(sqlite_commit, that_meets_a_reader_is_definitely_not_done_and_may_be_sent_again) {
  sqlite_database data;
  sqlite_database reader(data);
  const identifier rules = identifier::make(data.secret(), {}).value();
  sqlite_transaction with(data.connection(), rules);
  sqlite3_busy_timeout(data.connection(), 0);
  for (const bool rolls_back : {true, false}) {
    reader.run("BEGIN");
    EXPECT_EQ(effects(reader), "0");
    ready_to_commit(data, with, rules);
    const done ended = with.commit();
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().kind, failure_kind::run_again);
    EXPECT_EQ(ended.error().code, std::to_string(SQLITE_BUSY));
    EXPECT_EQ(effects(reader), "0");
    reader.run("COMMIT");
    if (rolls_back) {
      data.run("ROLLBACK");
      EXPECT_EQ(effects(reader), "0");
    } else {
      EXPECT_TRUE(with.commit());
    }
  }
  expect_in_step(reader, rules);
}

TEST(sqlite_commit, that_breaks_a_rule_of_the_data_is_definitely_not_done) {
  sqlite_database data;
  data.run("PRAGMA foreign_keys = on");
  data.run("CREATE TABLE parent (id INTEGER PRIMARY KEY)");
  data.run("CREATE TABLE child (parent INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)");
  const identifier rules = identifier::make(data.secret(), {}).value();
  sqlite_transaction with(data.connection(), rules);
  ready_to_commit(data, with, rules);
  data.run("INSERT INTO child VALUES (1)");
  const done ended = with.commit();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, failure_kind::refused);
  data.run("ROLLBACK");
  EXPECT_EQ(effects(data), "0");
  expect_in_step(data, rules);
}

TEST(sqlite_commit, is_not_reached_where_the_file_has_no_room_for_the_response) {
  sqlite_database data;
  const identifier rules = identifier::make(data.secret(), {}).value();
  sqlite_transaction with(data.connection(), rules);
  data.run("PRAGMA max_page_count = " + data.value("PRAGMA page_count"));
  data.run("BEGIN IMMEDIATE");
  const begun first = with.begin(identity_of(rules, {}));
  ASSERT_TRUE(std::holds_alternative<run>(first));
  data.run("INSERT INTO effect VALUES ('x')");
  const done completed = with.complete(std::get<run>(first), {200, {}, std::string(100'000, 'x')});
  ASSERT_FALSE(completed);
  EXPECT_EQ(completed.error().kind, failure_kind::refused);
  EXPECT_EQ(completed.error().code, std::to_string(SQLITE_FULL));
  static_cast<void>(data.try_run("ROLLBACK"));  // SQLite may have done so itself.
  EXPECT_EQ(effects(data), "0");
  data.run("PRAGMA max_page_count = 1000000");
  expect_in_step(data, rules);
}

// What was seen of the answers to COMMITs.
struct answers_seen {
  int good = 0;
  int unknown = 0;
  int unknown_and_done = 0;
};

class failing_commit : public testing::TestWithParam<std::string> {
 public:
  // False where the COMMIT ended before that operation.
  bool commit_that_fails_at(int place, file_error how, bool for_ever, const std::string& query) {
    sqlite_database data({.file_system = failing_files(), .query = query});
    data.run("PRAGMA journal_mode = " + GetParam());
    data.run("PRAGMA synchronous = full");
    const identifier rules = identifier::make(data.secret(), {}).value();
    sqlite_transaction with(data.connection(), rules);
    ready_to_commit(data, with, rules);
    fail_at(place, how, for_ever);
    const done ended = with.commit();
    const bool failed = stop_failing();
    sqlite_database afterwards = data.after_the_end_of_the_process();
    static_cast<void>(data.try_run("ROLLBACK"));
    judge(ended, effects(afterwards), effects(data));
    expect_in_step(afterwards, rules);
    expect_in_step(data, rules);
    return failed;
  }

  answers_seen seen;

 private:
  void judge(const done& ended, const std::string& afterwards, const std::string& here) {
    if (ended) {
      ++seen.good;
      EXPECT_EQ(afterwards, "1");
      EXPECT_EQ(here, "1");
    } else if (ended.error().kind == failure_kind::commit_unknown) {
      ++seen.unknown;
      seen.unknown_and_done += afterwards == "1" ? 1 : 0;
    } else {
      EXPECT_EQ(afterwards, "0") << ended.error().message;
      EXPECT_EQ(here, "0") << ended.error().message;
    }
  }
};

TEST_P(failing_commit, says_what_is_certain_whichever_operation_fails) {
  for (const file_error how : {file_error::broken, file_error::disk_full}) {
    for (const bool for_ever : {false, true}) {
      for (const char* query : {"?psow=1", "?psow=0"}) {
        for (int place = 1; place > 0; ++place) {
          SCOPED_TRACE(testing::Message() << (how == file_error::broken ? "broken" : "full") << " at " << place
                                          << (for_ever ? " and after" : "") << query);
          if (!commit_that_fails_at(place, how, for_ever, query)) break;
        }
      }
    }
  }
  EXPECT_GT(seen.good, 0);
  EXPECT_GT(seen.unknown, 0);
  // The last thing that is done where the journal is deleted is that; who cannot delete it has committed nothing.
  EXPECT_EQ(seen.unknown_and_done > 0, GetParam() != "delete");
  EXPECT_LT(seen.unknown_and_done, seen.unknown);
}

INSTANTIATE_TEST_SUITE_P(sqlite, failing_commit, testing::Values("delete", "truncate", "persist", "wal"),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace onceward::transaction
