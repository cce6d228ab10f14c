#include "onceward/sqlite_transaction.h"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "base/random.h"
#include "core/record.h"
#include "transaction/answers.h"

namespace onceward::transaction {
namespace {

using refusal = tl::unexpected<std::string>;
using namespace std::string_view_literals;

constexpr int schema_version = 1;

// As the record in PostgreSQL; a run's recovery point and its response lie in the same row.
constexpr const char* schema_text = R"(
CREATE TABLE IF NOT EXISTS onceward_deployment (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  schema_version INTEGER NOT NULL,
  secret BLOB NOT NULL,
  fence INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS onceward_record (
  record_key BLOB PRIMARY KEY,
  attempt BLOB NOT NULL,
  attempt_number INTEGER NOT NULL,
  fence INTEGER NOT NULL,
  state INTEGER NOT NULL,
  first_seen INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  retention INTEGER NOT NULL,
  response_expires_at INTEGER,
  fingerprint BLOB NOT NULL,
  tombstone BLOB,
  response BLOB,
  phase INTEGER,
  recovery_state BLOB
);
CREATE INDEX IF NOT EXISTS onceward_record_expires_at ON onceward_record (expires_at);
CREATE TABLE IF NOT EXISTS onceward_outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  record_key BLOB NOT NULL,
  topic TEXT NOT NULL,
  payload BLOB NOT NULL
);
)";

// What a record's state is called in the file: never change a number.
enum class stored_state { in_flight = 0, unknown = 1, completed = 2, released = 3 };

wall_time now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

failure failure_of(sqlite3* connection) {
  const int code = sqlite3_extended_errcode(connection);
  const int primary = code & 0xff;
  // Somebody else writes, or has written since this transaction first read.
  const bool busy = primary == SQLITE_BUSY || primary == SQLITE_LOCKED;
  return {busy ? failure_kind::run_again : failure_kind::refused, sqlite3_errmsg(connection), std::to_string(code)};
}

// Of a COMMIT: the transaction is open still, and nothing of it is in the file. Whatever else fails, a full disk
// included, may fail behind the write that makes it true: that is only known when the file is read again.
bool is_refused_before_writing(int primary_code) {
  return primary_code == SQLITE_BUSY || primary_code == SQLITE_LOCKED || primary_code == SQLITE_CONSTRAINT;
}

// One statement with its parameters and, one at a time, its rows.
class query {
 public:
  query(sqlite3* connection, std::string_view text) : connection_(connection) {
    good_ = sqlite3_prepare_v2(connection, text.data(), static_cast<int>(text.size()), &made_, nullptr) == SQLITE_OK;
  }
  query(const query&) = delete;
  query& operator=(const query&) = delete;
  ~query() { sqlite3_finalize(made_); }

  query& add(std::string_view bytes) {
    const char* data = bytes.empty() ? "" : bytes.data();
    if (good_) good_ = sqlite3_bind_blob64(made_, ++bound_, data, bytes.size(), SQLITE_TRANSIENT) == SQLITE_OK;
    return *this;
  }
  query& add_text(std::string_view words) {
    const char* data = words.empty() ? "" : words.data();
    if (good_) {
      good_ = sqlite3_bind_text64(made_, ++bound_, data, words.size(), SQLITE_TRANSIENT, SQLITE_UTF8) == SQLITE_OK;
    }
    return *this;
  }
  template <std::size_t Size>
  query& add(const std::array<std::byte, Size>& bytes) {
    return add(std::string_view(reinterpret_cast<const char*>(bytes.data()), Size));
  }
  query& add(const shared_bytes& bytes) {
    if (bytes != nullptr) return add(std::string_view(*bytes));
    ++bound_;  // NULL.
    return *this;
  }
  query& add(std::int64_t number) {
    if (good_) good_ = sqlite3_bind_int64(made_, ++bound_, number) == SQLITE_OK;
    return *this;
  }
  query& add(wall_time at) { return add(std::int64_t{at.time_since_epoch().count()}); }

  // True for a row, false after the last.
  tl::expected<bool, failure> next() {
    const int code = good_ ? sqlite3_step(made_) : SQLITE_ERROR;
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return tl::unexpected(failure_of(connection_));
  }
  done finish() {
    const auto row = next();
    if (!row) return tl::unexpected(row.error());
    return {};
  }

  std::int64_t number(int column) const { return sqlite3_column_int64(made_, column); }
  wall_time time(int column) const { return wall_time{std::chrono::milliseconds{number(column)}}; }
  bool is_null(int column) const { return sqlite3_column_type(made_, column) == SQLITE_NULL; }
  std::string bytes(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(made_, column));
    return data == nullptr ? std::string()
                           : std::string(data, static_cast<std::size_t>(sqlite3_column_bytes(made_, column)));
  }
  shared_bytes blob(int column) const {
    return is_null(column) ? nullptr : std::make_shared<const std::string>(bytes(column));
  }
  template <std::size_t Size>
  bool fill(int column, std::array<std::byte, Size>& into) const {
    const std::string found = bytes(column);
    if (found.size() != Size) return false;
    std::memcpy(into.data(), found.data(), Size);
    return true;
  }

 private:
  sqlite3* connection_;
  sqlite3_stmt* made_ = nullptr;
  int bound_ = 0;
  bool good_;
};

std::optional<failure> objection_to(sqlite3* connection) {
  if (sqlite3_get_autocommit(connection) == 0) return std::nullopt;
  return failure{failure_kind::aborted,
                 "the connection is not in a transaction: none was begun, or it was rolled back"};
}

// ---- Records --------------------------------------------------------------------------------------------------------

struct kept_record {
  core::record record;
  std::optional<std::uint32_t> phase;
  std::string recovery_state;
};

failure damaged() {
  return {failure_kind::refused, "the record in the database is damaged"};
}

std::optional<core::record_state> read_state(const query& row) {
  switch (static_cast<stored_state>(row.number(3))) {
    case stored_state::in_flight:
      return core::state_in_flight{row.time(5)};
    case stored_state::unknown:
      return core::state_unknown{row.time(5)};
    case stored_state::completed:
      if (row.is_null(10)) return std::nullopt;
      return core::state_completed{.completed_at = row.time(5),
                                   .response_expires_at = row.time(8),
                                   .tombstone_expires_at = row.time(6),
                                   .response = row.blob(11),
                                   .tombstone = row.blob(10)};
    case stored_state::released:
      return core::state_released{row.time(5)};
  }
  return std::nullopt;
}

// As it is at `at`; nothing where there is none.
tl::expected<std::optional<kept_record>, failure> read(sqlite3* connection, const record_key& key, wall_time at) {
  query row(connection,
            "SELECT attempt, attempt_number, fence, state, first_seen, ended_at, expires_at, retention,"
            " response_expires_at, fingerprint, tombstone, response, phase, recovery_state"
            " FROM onceward_record WHERE record_key = ?");
  const auto there = row.add(key.bytes).next();
  if (!there) return tl::unexpected(there.error());
  if (!*there) return std::nullopt;
  core::record stored{};
  auto state = read_state(row);
  if (!state || !row.fill(0, stored.attempt.bytes) || row.is_null(9)) return tl::unexpected(damaged());
  stored.attempt_number = static_cast<std::uint32_t>(row.number(1));
  stored.token = fence{static_cast<std::uint64_t>(row.number(2))};
  stored.first_seen = row.time(4);
  stored.retention = std::chrono::milliseconds{row.number(7)};
  stored.fingerprint = row.blob(9);
  stored.state = std::move(*state);
  auto current = core::as_of(std::move(stored), at);
  if (!current) return std::nullopt;
  kept_record kept{std::move(*current), std::nullopt, row.bytes(13)};
  if (!row.is_null(12)) kept.phase = static_cast<std::uint32_t>(row.number(12));
  return kept;
}

stored_state number_of(const core::record_state& state) {
  if (std::holds_alternative<core::state_in_flight>(state)) return stored_state::in_flight;
  if (std::holds_alternative<core::state_unknown>(state)) return stored_state::unknown;
  if (std::holds_alternative<core::state_completed>(state)) return stored_state::completed;
  return stored_state::released;
}

done write(sqlite3* connection, const record_key& key, const kept_record& kept) {
  const core::record& record = kept.record;
  const record_summary summary = core::summarise(record);
  query change(connection,
               "INSERT OR REPLACE INTO onceward_record (record_key, attempt, attempt_number, fence, state, first_seen,"
               " ended_at, expires_at, retention, fingerprint, response_expires_at, tombstone, response, phase,"
               " recovery_state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)");
  change.add(key.bytes).add(record.attempt.bytes).add(std::int64_t{record.attempt_number});
  change.add(static_cast<std::int64_t>(record.token)).add(static_cast<std::int64_t>(number_of(record.state)));
  change.add(record.first_seen).add(summary.ended_at).add(summary.expires_at);
  change.add(std::int64_t{record.retention.count()}).add(record.fingerprint);
  const auto* ended = std::get_if<core::state_completed>(&record.state);
  if (ended != nullptr) {
    change.add(ended->response_expires_at).add(ended->tombstone).add(ended->response);
  } else {
    change.add(shared_bytes()).add(shared_bytes()).add(shared_bytes());
  }
  if (kept.phase) {
    change.add(std::int64_t{*kept.phase}).add(std::string_view(kept.recovery_state));
  } else {
    change.add(shared_bytes()).add(shared_bytes());
  }
  return change.finish();
}

tl::expected<fence, failure> next_fence(sqlite3* connection) {
  query change(connection, "UPDATE onceward_deployment SET fence = fence + 1 RETURNING fence");
  const auto row = change.next();
  if (!row) return tl::unexpected(row.error());
  if (!*row) return tl::unexpected(failure{failure_kind::refused, "onceward_deployment has no row"});
  const fence next{static_cast<std::uint64_t>(change.number(0))};
  // To its end, or SQLite would not have carried it out.
  if (const auto end = change.finish(); !end) return tl::unexpected(end.error());
  return next;
}

// The renewals and outcomes that the rules allow to the record's owner alone.
template <typename Command>
done change(sqlite3* connection, const Command& what, const run* saved = nullptr) {
  const wall_time at = now();
  auto kept = read(connection, what.key, at);
  if (!kept) return tl::unexpected(kept.error());
  core::decision decided = core::decide(*kept ? &(*kept)->record : nullptr, what, at);
  if (!std::holds_alternative<applied>(decided.answer)) {
    return tl::unexpected(failure{failure_kind::fenced, "the record is not this attempt's any more"});
  }
  if (!decided.after && saved == nullptr) return {};
  if (decided.after) (*kept)->record = std::move(*decided.after);
  if (saved != nullptr) {
    (*kept)->phase = saved->phase;
    (*kept)->recovery_state = saved->state;
  }
  if (std::holds_alternative<core::state_completed>((*kept)->record.state)) (*kept)->phase = std::nullopt;
  return write(connection, what.key, **kept);
}

begun grant(sqlite3* connection, const identity& who, const claim& what, const kept_record* before, wall_time at) {
  const auto next = next_fence(connection);
  if (!next) return next.error();
  core::decision decided = core::decide(before == nullptr ? nullptr : &before->record, what, at, *next);
  const auto& granted = std::get<claim_granted>(decided.answer);
  kept_record after{std::move(*decided.after), std::nullopt, {}};
  run attempt{.who = who,
              .attempt = what.attempt,
              .attempt_number = granted.attempt_number,
              .token = granted.token,
              .phase = 0,
              .state = {}};
  if (what.over_unknown) {
    after.phase = before->phase;
    after.recovery_state = before->recovery_state;
    attempt.phase = before->phase.value_or(0);
    attempt.state = before->recovery_state;
  }
  if (const auto written = write(connection, who.key, after); !written) return written.error();
  return attempt;
}

}  // namespace

tl::expected<std::string, std::string> prepare_sqlite(sqlite3* connection) {
  const auto failed = [&] {
    return refusal(std::string("cannot make the onceward tables: ") + sqlite3_errmsg(connection));
  };
  if (sqlite3_get_autocommit(connection) == 0) return refusal("the onceward tables are made outside a transaction");
  if (sqlite3_exec(connection, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) != SQLITE_OK) return failed();
  const auto undo = [&](auto why) {
    sqlite3_exec(connection, "ROLLBACK", nullptr, nullptr, nullptr);
    return why;
  };
  if (sqlite3_exec(connection, schema_text, nullptr, nullptr, nullptr) != SQLITE_OK) return undo(failed());
  base::random_source random;
  query offer(connection, "INSERT OR IGNORE INTO onceward_deployment VALUES (1, ?, ?, 0)");
  if (!offer.add(std::int64_t{schema_version}).add(random.take<32>()).finish()) return undo(failed());
  std::string secret;
  {
    query kept(connection, "SELECT schema_version, secret FROM onceward_deployment");
    const auto row = kept.next();
    if (!row || !*row) return undo(failed());
    if (kept.number(0) != schema_version) return undo(refusal("the onceward tables are of another version"));
    secret = kept.bytes(1);
  }
  if (sqlite3_exec(connection, "COMMIT", nullptr, nullptr, nullptr) != SQLITE_OK) return undo(failed());
  return secret;
}

begun sqlite_transaction::begin(const identity& who) {
  if (who.fingerprint == nullptr) return failure{failure_kind::refused, "the identity has no fingerprint"};
  if (auto wrong = objection_to(connection_)) return std::move(*wrong);
  const wall_time at = now();
  const auto kept = read(connection_, who.key, at);
  if (!kept) return kept.error();
  claim what = make_claim(rules_, who);
  const kept_record* before = *kept ? &**kept : nullptr;
  if (before == nullptr || std::holds_alternative<core::state_released>(before->record.state)) {
    return grant(connection_, who, what, before, at);
  }
  begun judged = found(core::describe(before->record, at), who);
  if (!std::holds_alternative<unknown>(judged) || !before->phase) return judged;
  what.over_unknown = before->record.attempt;
  return grant(connection_, who, what, before, at);
}

done sqlite_transaction::complete(const run& attempt, const response& answer) {
  if (auto wrong = objection_to(connection_)) return tl::unexpected(std::move(*wrong));
  auto outcome = outcome_of(rules_, answer);
  if (!outcome) return tl::unexpected(failure{failure_kind::refused, std::move(outcome.error())});
  return change(connection_, onceward::complete{attempt.who.key, attempt.attempt, std::move(*outcome)});
}

done sqlite_transaction::save(run& attempt, std::string_view state) {
  if (auto wrong = objection_to(connection_)) return tl::unexpected(std::move(*wrong));
  if (state.size() > state_bytes_max) return tl::unexpected(failure{failure_kind::refused, "the state is too large"});
  run further = attempt;
  ++further.phase;
  further.state = state;
  const renew what{attempt.who.key, attempt.attempt, rules_.details().policy.rules.lease};
  if (const auto kept = change(connection_, what, &further); !kept) return kept;
  attempt = std::move(further);
  return {};
}

done sqlite_transaction::resume(const run& attempt) {
  if (auto wrong = objection_to(connection_)) return tl::unexpected(std::move(*wrong));
  return change(connection_, renew{attempt.who.key, attempt.attempt, rules_.details().policy.rules.lease});
}

done sqlite_transaction::send(const run& attempt, std::string_view topic, std::string_view payload) {
  if (auto wrong = objection_to(connection_)) return tl::unexpected(std::move(*wrong));
  if (payload.size() > outbox_payload_bytes_max) {
    return tl::unexpected(failure{failure_kind::refused, "the payload is too large for the outbox"});
  }
  query row(connection_, "INSERT INTO onceward_outbox (record_key, topic, payload) VALUES (?, ?, ?)");
  return row.add(attempt.who.key.bytes).add_text(topic).add(payload).finish();
}

done sqlite_transaction::commit() {
  if (auto wrong = objection_to(connection_)) return tl::unexpected(std::move(*wrong));
  if (sqlite3_exec(connection_, "COMMIT", nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  failure why = failure_of(connection_);
  if (!is_refused_before_writing(sqlite3_extended_errcode(connection_) & 0xff)) why.kind = failure_kind::commit_unknown;
  return tl::unexpected(std::move(why));
}

tl::expected<std::vector<outbox_message>, failure> take_from_outbox(sqlite3* connection, std::size_t limit) {
  if (auto wrong = objection_to(connection)) return tl::unexpected(std::move(*wrong));
  query rows(connection, "SELECT id, topic, payload FROM onceward_outbox ORDER BY id LIMIT ?");
  rows.add(static_cast<std::int64_t>(std::min(limit, outbox_batch_max)));
  std::vector<outbox_message> taken;
  for (;;) {
    const auto row = rows.next();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return taken;
    taken.push_back({rows.number(0), rows.bytes(1), rows.bytes(2)});
  }
}

done delete_from_outbox(sqlite3* connection, const std::vector<outbox_message>& sent) {
  if (auto wrong = objection_to(connection)) return tl::unexpected(std::move(*wrong));
  for (const outbox_message& each : sent) {
    query gone(connection, "DELETE FROM onceward_outbox WHERE id = ?");
    if (const auto deleted = gone.add(each.id).finish(); !deleted) return deleted;
  }
  return {};
}

done purge_sqlite(sqlite3* connection, std::size_t limit) {
  if (auto wrong = objection_to(connection)) return tl::unexpected(std::move(*wrong));
  query gone(connection,
             "DELETE FROM onceward_record WHERE rowid IN"
             " (SELECT rowid FROM onceward_record WHERE expires_at <= ? LIMIT ?)");
  return gone.add(now()).add(static_cast<std::int64_t>(limit)).finish();
}

}  // namespace onceward::transaction
