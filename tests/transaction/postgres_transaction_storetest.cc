// The stories of one transaction on PostgreSQL, and what only PostgreSQL has: isolation levels, waits on a row, aborted
// transactions, connections that break, versions of the schema.
#include "onceward/postgres_transaction.h"

#include <postgresql/libpq-fe.h>

#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <span>
#include <string>

#include "stores/postgres/migrate.h"
#include "stores/postgres/postgres_store.h"
#include "tests/transaction/stories.h"

namespace onceward::transaction {
namespace {

std::string url() {
  const char* found = std::getenv("ONCEWARD_POSTGRES_URL");
  return found == nullptr ? "" : found;
}

class postgres_database {
 public:
  using transaction_type = postgres_transaction;
  static constexpr const char* begin = "BEGIN";

  postgres_database() {
    EXPECT_TRUE(postgres::migrate(url()));
    open();
    run("CREATE TABLE IF NOT EXISTS effect (what text); TRUNCATE effect, onceward.outbox, onceward.record CASCADE");
  }
  explicit postgres_database(const postgres_database&) { open(); }
  postgres_database& operator=(const postgres_database&) = delete;
  ~postgres_database() { PQfinish(made_); }

  PGconn* connection() { return made_; }
  std::string secret() { return postgres_secret(made_).value(); }

  bool try_run(const std::string& sql) {
    PGresult* result = PQexec(made_, sql.c_str());
    const ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
  }
  void run(const std::string& sql) { ASSERT_TRUE(try_run(sql)) << sql << ": " << PQerrorMessage(made_); }
  std::string value(const std::string& sql) {
    PGresult* result = PQexec(made_, sql.c_str());
    EXPECT_EQ(PQresultStatus(result), PGRES_TUPLES_OK) << PQerrorMessage(made_);
    std::string found = PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "";
    PQclear(result);
    return found;
  }

 private:
  void open() {
    made_ = PQconnectdb(url().c_str());
    ASSERT_EQ(PQstatus(made_), CONNECTION_OK) << PQerrorMessage(made_);
    run("SET client_min_messages = warning");
  }

  PGconn* made_ = nullptr;
};

INSTANTIATE_TYPED_TEST_SUITE_P(postgres, one_transaction, postgres_database);

using story = one_transaction<postgres_database>;

class postgres_one_transaction : public story {
 public:
  // Duplicates that began before the first was committed, at this level.
  void duplicates_run_once_at(const std::string& level) {
    const identifier rules = make();
    std::vector<std::thread> callers;
    std::atomic<int> runs = 0;
    for (int i = 0; i < 8; ++i) {
      callers.emplace_back([&] {
        postgres_database own(data);
        own.run("SET default_transaction_isolation = '" + level + "'");
        postgres_transaction with(own.connection(), rules);
        for (bool again = true; again;) {
          own.run("BEGIN");
          const begun result = with.begin(identity_of(rules, {}));
          again = std::holds_alternative<failure>(result);
          if (again) {
            EXPECT_EQ(std::get<failure>(result).kind, failure_kind::run_again);
          }
          if (const auto* attempt = std::get_if<transaction::run>(&result)) {
            own.run("INSERT INTO effect VALUES ('x')");
            const done completed = with.complete(*attempt, created());
            const done committed = completed ? with.commit() : completed;
            if (committed) {
              ++runs;
              continue;
            }
            EXPECT_EQ(committed.error().kind, failure_kind::run_again);
            again = true;
          }
          static_cast<void>(own.try_run("ROLLBACK"));
        }
      });
    }
    for (std::thread& each : callers)
      each.join();
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(effects(), "1");
  }
};

TEST_F(postgres_one_transaction, runs_once_at_read_committed) {
  duplicates_run_once_at("read committed");
}
TEST_F(postgres_one_transaction, runs_once_at_repeatable_read) {
  duplicates_run_once_at("repeatable read");
}
TEST_F(postgres_one_transaction, runs_once_at_serializable) {
  duplicates_run_once_at("serializable");
}

TEST_F(postgres_one_transaction, waits_for_the_row_within_a_bound_and_can_go_on) {
  const identifier rules = make({.lock_wait = std::chrono::milliseconds{50}});
  const identity who = identity_of(rules, {});
  postgres_transaction first(data.connection(), rules);
  data.run("BEGIN");
  ASSERT_TRUE(std::holds_alternative<transaction::run>(first.begin(who)));

  postgres_database elsewhere(data);
  postgres_transaction second(elsewhere.connection(), rules);
  elsewhere.run("SET lock_timeout = '7s'");
  elsewhere.run("BEGIN");
  elsewhere.run("INSERT INTO effect VALUES ('of the caller')");
  EXPECT_TRUE(std::holds_alternative<in_flight>(second.begin(who)));
  EXPECT_EQ(elsewhere.value("SHOW lock_timeout"), "7s");
  // Another key, in the same transaction.
  EXPECT_TRUE(std::holds_alternative<transaction::run>(second.begin(identity_of(rules, {.key = "key-2"}))));
  EXPECT_EQ(elsewhere.value("SHOW lock_timeout"), "7s");
  elsewhere.run("COMMIT");
  data.run("ROLLBACK");
  EXPECT_EQ(effects(), "1");
}

TEST_F(postgres_one_transaction, says_that_a_deadlock_is_to_be_run_again) {
  const identifier rules = make();
  postgres_database elsewhere(data);
  data.run("SET deadlock_timeout = '20ms'");
  elsewhere.run("SET deadlock_timeout = '1h'");
  postgres_transaction first(data.connection(), rules);
  postgres_transaction second(elsewhere.connection(), rules);
  const identity one = identity_of(rules, {.key = "one"});
  const identity two = identity_of(rules, {.key = "two"});
  data.run("BEGIN");
  elsewhere.run("BEGIN");
  ASSERT_TRUE(std::holds_alternative<transaction::run>(first.begin(one)));
  ASSERT_TRUE(std::holds_alternative<transaction::run>(second.begin(two)));
  const std::string process = elsewhere.value("SELECT pg_backend_pid()");
  std::jthread waits([&] {
    EXPECT_TRUE(std::holds_alternative<transaction::run>(second.begin(one)));
    elsewhere.run("COMMIT");
  });
  // Who begins to wait last finds the deadlock, and is chosen.
  postgres_database watcher(data);
  while (watcher.value("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = " + process) == "0")
    std::this_thread::yield();
  const begun result = first.begin(two);
  ASSERT_TRUE(std::holds_alternative<failure>(result));
  EXPECT_EQ(std::get<failure>(result).kind, failure_kind::run_again);
  EXPECT_EQ(first.commit().error().kind, failure_kind::aborted);
}

TEST_F(postgres_one_transaction, says_that_it_failed_before) {
  const identifier rules = make();
  postgres_transaction with(data.connection(), rules);
  data.run("BEGIN");
  const begun first = with.begin(identity_of(rules, {}));
  ASSERT_TRUE(std::holds_alternative<transaction::run>(first));
  EXPECT_FALSE(data.try_run("INSERT INTO nowhere VALUES (1)"));
  EXPECT_EQ(with.complete(std::get<transaction::run>(first), created()).error().kind, failure_kind::aborted);
  EXPECT_EQ(with.commit().error().kind, failure_kind::aborted);
  EXPECT_EQ(PQtransactionStatus(data.connection()), PQTRANS_IDLE);
  EXPECT_TRUE(std::holds_alternative<transaction::run>(serve(data, rules, {})));
}

TEST_F(postgres_one_transaction, tells_a_loss_before_the_commit_from_one_in_it) {
  const identifier rules = make();
  for (const bool in_commit : {false, true}) {
    postgres_database lost(data);
    postgres_transaction with(lost.connection(), rules);
    lost.run("BEGIN");
    const begun first = with.begin(identity_of(rules, {}));
    ASSERT_TRUE(std::holds_alternative<transaction::run>(first));
    const std::string process = lost.value("SELECT pg_backend_pid()");
    data.run("SELECT pg_terminate_backend(" + process + ", 60000)");
    const done ended = in_commit ? with.commit() : with.complete(std::get<transaction::run>(first), created());
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().kind, in_commit ? failure_kind::commit_unknown : failure_kind::connection_lost);
  }
  // The same key tells: it did not happen.
  EXPECT_TRUE(std::holds_alternative<transaction::run>(serve(data, rules, {})));
}

// The notices of one session, as a caller's own receiver sees them.
struct seen_notices {
  int all = 0;
  int unacknowledged = 0;
};

void see_notice(void* seen, const PGresult* notice) {
  if (commit_is_unacknowledged(notice)) ++static_cast<seen_notices*>(seen)->unacknowledged;
  ++static_cast<seen_notices*>(seen)->all;
}

void count_notice(void* count, const char*) {
  ++*static_cast<int*>(count);
}

// A primary whose synchronous standby is not there: commits wait until somebody cancels the wait.
class commit_without_standby : public postgres_one_transaction {
 public:
  commit_without_standby() {
    set_standbys("'nobody'");
    wait_until_commits_wait();
  }
  ~commit_without_standby() override { set_standbys("''"); }

  // Runs `end`, a commit on this connection, and cancels its wait.
  void cancelled(PGconn* session, const std::function<void()>& end) {
    std::jthread ends(end);
    while (!waits(session))
      std::this_thread::yield();
    cancel(session);
  }

 private:
  bool waits(PGconn* session) {
    return data.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND pid = " +
                      std::to_string(PQbackendPID(session))) != "0";
  }
  void cancel(PGconn* session) { data.run("SELECT pg_cancel_backend(" + std::to_string(PQbackendPID(session)) + ")"); }

  // The server's processes learn of it one after the other; the one that matters last, as a rule.
  void wait_until_commits_wait() {
    postgres_database probe(data);
    for (bool seen = false; !seen;) {
      ASSERT_EQ(PQsendQuery(probe.connection(), "SELECT txid_current()"), 1);
      while (PQconsumeInput(probe.connection()) == 1 && PQisBusy(probe.connection()) == 1) {
        if (seen || !waits(probe.connection())) continue;
        seen = true;
        cancel(probe.connection());
      }
      while (PGresult* const result = PQgetResult(probe.connection()))
        PQclear(result);
    }
  }

  void set_standbys(const std::string& names) {
    // What the test itself commits waits for nobody.
    data.run("SET synchronous_commit = local");
    data.run("ALTER SYSTEM SET synchronous_standby_names = " + names);
    data.run("SELECT pg_reload_conf()");
  }
};

TEST_F(commit_without_standby, is_indefinite_and_the_key_says_what_became_of_it) {
  const identifier rules = make();
  postgres_database own(data);
  int processed = 0;
  PQsetNoticeProcessor(own.connection(), &count_notice, &processed);
  postgres_transaction with(own.connection(), rules);
  own.run("BEGIN");
  const begun first = with.begin(identity_of(rules, {}));
  ASSERT_TRUE(std::holds_alternative<transaction::run>(first));
  ASSERT_TRUE(with.complete(std::get<transaction::run>(first), created()));
  done ended;
  cancelled(own.connection(), [&] { ended = with.commit(); });
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, failure_kind::commit_unknown);
  // The caller's processor heard it as well, and is there afterwards.
  EXPECT_EQ(processed, 1);
  own.run("DO $$ BEGIN RAISE WARNING 'of the caller'; END $$");
  EXPECT_EQ(processed, 2);
  EXPECT_TRUE(std::holds_alternative<replayed>(serve(data, rules, {})));
}

TEST_F(commit_without_standby, is_seen_by_a_receiver_of_the_callers_whoever_commits) {
  const identifier rules = make();
  int number = 0;
  for (const bool by_caller : {true, false}) {
    postgres_database own(data);
    seen_notices seen;
    PQsetNoticeReceiver(own.connection(), &see_notice, &seen);
    own.run("DO $$ BEGIN RAISE WARNING 'of the caller'; END $$");
    EXPECT_EQ(seen.unacknowledged, 0);
    postgres_transaction with(own.connection(), rules);
    own.run("BEGIN");
    const begun first = with.begin(identity_of(rules, {.key = "key-" + std::to_string(++number)}));
    ASSERT_TRUE(std::holds_alternative<transaction::run>(first));
    ASSERT_TRUE(with.complete(std::get<transaction::run>(first), created()));
    cancelled(own.connection(), [&] {
      if (by_caller) {
        own.run("COMMIT");
      } else {
        static_cast<void>(with.commit());
      }
    });
    EXPECT_EQ(seen.unacknowledged, 1);
    EXPECT_EQ(seen.all, 2);
  }
}

TEST_F(postgres_one_transaction, does_not_take_a_warning_of_the_callers_for_an_unacknowledged_commit) {
  const identifier rules = make();
  data.run(
      "CREATE OR REPLACE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS"
      " $$ BEGIN RAISE WARNING 'of the caller'; RETURN NULL; END $$;"
      "CREATE CONSTRAINT TRIGGER warn AFTER INSERT ON effect DEFERRABLE INITIALLY DEFERRED"
      " FOR EACH ROW EXECUTE FUNCTION warn()");
  int processed = 0;
  PQsetNoticeProcessor(data.connection(), &count_notice, &processed);
  EXPECT_TRUE(std::holds_alternative<transaction::run>(serve(data, rules, {})));
  EXPECT_EQ(processed, 1);
  data.run("DROP FUNCTION warn() CASCADE");
}

// What a gateway is told of ends.
class listener final : public record_observer {
 public:
  void attempts_ended(std::span<const record_key> keys) override {
    const std::lock_guard hold(mutex_);
    ended_.insert(ended_.end(), keys.begin(), keys.end());
    told_.notify_all();
  }
  void any_may_have_ended() override {}

  std::vector<record_key> wait_for(const record_key& last) {
    std::unique_lock hold(mutex_);
    told_.wait(hold, [&] { return !ended_.empty() && ended_.back() == last; });
    return ended_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable told_;
  std::vector<record_key> ended_;
};

TEST_F(postgres_one_transaction, tells_gateways_of_the_end_of_what_they_saw_between_phases_and_of_nothing_else) {
  const identifier rules = make();
  auto gateway = postgres::postgres_store::open({.url = url(), .tell = {}});
  ASSERT_TRUE(gateway) << gateway.error();
  listener heard;
  (*gateway)->observe(&heard);
  // What its listening connection prepares last.
  while (data.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'onceward' AND state = 'idle'"
                    " AND query LIKE '%pg_notify%'") == "0")
    std::this_thread::yield();
  postgres_transaction with(data.connection(), rules);
  EXPECT_TRUE(std::holds_alternative<transaction::run>(serve(data, rules, {.key = "in-one"})));
  for (const char* key : {"rolled-back", "first", "last"}) {
    data.run("BEGIN");
    begun found = with.begin(identity_of(rules, {.key = key}));
    ASSERT_TRUE(std::holds_alternative<transaction::run>(found));
    auto& attempt = std::get<transaction::run>(found);
    ASSERT_TRUE(with.save(attempt, "charged"));
    ASSERT_TRUE(with.commit());
    data.run("BEGIN");
    ASSERT_TRUE(with.resume(attempt));
    ASSERT_TRUE(with.complete(attempt, created()));
    data.run(key == std::string("rolled-back") ? "ROLLBACK" : "COMMIT");
  }
  EXPECT_EQ(heard.wait_for(identity_of(rules, {.key = "last"}).key),
            (std::vector{identity_of(rules, {.key = "first"}).key, identity_of(rules, {.key = "last"}).key}));
  (*gateway)->observe(nullptr);
}

TEST_F(postgres_one_transaction, makes_the_day_on_which_its_response_expires) {
  const identifier rules = make({.retention = std::chrono::hours{24 * 200}});
  EXPECT_TRUE(std::holds_alternative<transaction::run>(serve(data, rules, {})));
  EXPECT_TRUE(std::holds_alternative<replayed>(serve(data, rules, {})));
}

TEST_F(postgres_one_transaction, relays_do_not_take_the_same_message) {
  const identifier rules = make();
  postgres_transaction with(data.connection(), rules);
  data.run("BEGIN");
  const begun first = with.begin(identity_of(rules, {}));
  ASSERT_TRUE(with.send(std::get<transaction::run>(first), "orders", "one"));
  ASSERT_TRUE(with.send(std::get<transaction::run>(first), "orders", "two"));
  data.run("COMMIT");
  postgres_database elsewhere(data);
  data.run("BEGIN");
  elsewhere.run("BEGIN");
  EXPECT_EQ(take_from_outbox(data.connection(), 1)->front().payload, "one");
  EXPECT_EQ(take_from_outbox(elsewhere.connection(), 1)->front().payload, "two");
  data.run("ROLLBACK");
  elsewhere.run("ROLLBACK");
}

TEST_F(postgres_one_transaction, works_after_the_schema_of_version_1_is_migrated) {
  data.run("DROP TABLE onceward.recovery_point, onceward.outbox; UPDATE onceward.deployment SET schema_version = 1");
  const auto migrated = postgres::migrate(url());
  ASSERT_TRUE(migrated) << migrated.error();
  EXPECT_TRUE(migrated->changed);
  EXPECT_EQ(data.value("SELECT schema_version FROM onceward.deployment"), "2");
  EXPECT_FALSE(postgres::migrate(url())->changed);
  const identifier rules = make();
  EXPECT_TRUE(std::holds_alternative<transaction::run>(serve(data, rules, {})));
  EXPECT_TRUE(std::holds_alternative<replayed>(serve(data, rules, {})));
}

}  // namespace
}  // namespace onceward::transaction
