#include "onceward/postgres_transaction.h"

#include <postgresql/libpq-fe.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "base/random.h"
#include "core/verdict.h"
#include "stores/postgres/parameters.h"
#include "stores/postgres/rows.h"
#include "stores/postgres/server_error.h"
#include "stores/postgres/statements.h"
#include "stores/postgres/wake_up_text.h"
#include "transaction/answers.h"

namespace onceward::transaction {
namespace {

using namespace std::string_view_literals;

struct clear_result {
  void operator()(PGresult* made) const { PQclear(made); }
};
using rows = std::unique_ptr<PGresult, clear_result>;

// A claim that met changes which its snapshot does not show is sent again, so often at most.
constexpr int claims_max = 16;

std::string first_line(const char* message) {
  const std::string_view text(message == nullptr ? "" : message);
  return std::string(text.substr(0, text.find('\n')));
}

std::string_view state_of(const PGresult* result) {
  const char* state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return state == nullptr ? std::string_view{} : state;
}

bool went_well(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

failure failure_of(PGconn* connection, const PGresult* result) {
  const std::string_view state = state_of(result);
  std::string message = first_line(result == nullptr ? PQerrorMessage(connection) : PQresultErrorMessage(result));
  failure_kind kind = failure_kind::refused;
  if (state == "40001" || state == "40P01") {
    kind = failure_kind::run_again;
  } else if (state == "25P02") {
    kind = failure_kind::aborted;
  } else if (PQstatus(connection) != CONNECTION_OK) {
    kind = failure_kind::connection_lost;
  }
  return {kind, std::move(message), std::string(state)};
}

rows send(PGconn* connection, const char* text) {
  return rows(PQexec(connection, text));
}

rows send(PGconn* connection, const std::string& text, std::span<const unsigned> types,
          const postgres::parameters& with) {
  return rows(PQexecParams(connection, text.c_str(), with.count(), types.data(), with.values(), with.lengths(),
                           postgres::parameters::formats(), 1));
}

done sent(PGconn* connection, const char* text) {
  const rows result = send(connection, text);
  if (!went_well(result.get())) return tl::unexpected(failure_of(connection, result.get()));
  return {};
}

// Why nothing can be done in the transaction that the connection is in.
std::optional<failure> objection_to(PGconn* connection) {
  switch (PQtransactionStatus(connection)) {
    case PQTRANS_INTRANS:
      return std::nullopt;
    case PQTRANS_INERROR:
      return failure{failure_kind::aborted, "the transaction has failed and can only be rolled back"};
    case PQTRANS_IDLE:
      return failure{failure_kind::refused, "the connection is not in a transaction: send BEGIN first"};
    case PQTRANS_ACTIVE:
      return failure{failure_kind::refused, "the connection is busy with another statement"};
    case PQTRANS_UNKNOWN:
      break;
  }
  return failure{failure_kind::connection_lost, first_line(PQerrorMessage(connection))};
}

postgres::column_view column(const PGresult* result, int row, int number) {
  if (PQgetisnull(result, row, number) != 0) return std::nullopt;
  return std::string_view(PQgetvalue(result, row, number), static_cast<std::size_t>(PQgetlength(result, row, number)));
}

std::string text_at(const PGresult* result, int row, int number) {
  return std::string(column(result, row, number).value_or(std::string_view{}));
}

constexpr unsigned bytea = 17;
constexpr unsigned int8 = 20;
constexpr unsigned text = 25;
constexpr unsigned uuid = 2950;

// What a command of the store port gets, sent once. No reply: it is to be sent again.
template <typename Command>
tl::expected<std::optional<reply>, failure> ask_once(PGconn* connection, const Command& what) {
  postgres::parameters with;
  const postgres::statement which = postgres::encode(what, with);
  const rows result = send(connection, postgres::text_of(which), postgres::types_of(which), with);
  if (!went_well(result.get())) return tl::unexpected(failure_of(connection, result.get()));
  std::optional<core::found_record> found;
  if (PQntuples(result.get()) > 0) {
    std::vector<postgres::column_view> row;
    for (int number = 0; number < PQnfields(result.get()); ++number)
      row.push_back(column(result.get(), 0, number));
    auto read = postgres::read_record(row);
    if (!read) return tl::unexpected(failure{failure_kind::refused, "the record in the database is damaged"});
    found = std::move(*read);
  }
  return core::answer_to(command(what), found);
}

template <typename Command>
tl::expected<reply, failure> ask(PGconn* connection, const Command& what) {
  for (int i = 0; i < claims_max; ++i) {
    auto answer = ask_once(connection, what);
    if (!answer) return tl::unexpected(std::move(answer.error()));
    if (*answer) return std::move(**answer);
  }
  return tl::unexpected(failure{failure_kind::run_again, "the record changed all the time"});
}

// A renewal or outcome, which only the owner of the record may write.
template <typename Command>
done write(PGconn* connection, const Command& what) {
  const auto answer = ask(connection, what);
  if (!answer) return tl::unexpected(answer.error());
  if (std::holds_alternative<applied>(*answer)) return {};
  return tl::unexpected(failure{failure_kind::fenced, "the record is not this attempt's any more"});
}

// ---- Waiting for the row ------------------------------------------------------------------------------------------

// Bounds the wait for locks inside a savepoint, so that a wait in vain costs the caller's transaction nothing.
class bounded_wait {
 public:
  static tl::expected<bounded_wait, failure> begin(PGconn* connection, std::chrono::milliseconds longest) {
    if (const auto made = sent(connection, "SAVEPOINT onceward_begin"); !made) return tl::unexpected(made.error());
    const std::string limit = std::to_string(longest.count());
    postgres::parameters with;
    with.add(std::string_view(limit));
    const rows result = send(connection,
                             "WITH before AS MATERIALIZED (SELECT current_setting('lock_timeout') AS value)\n"
                             "SELECT value, set_config('lock_timeout', $1, true) FROM before",
                             std::array{text}, with);
    if (!went_well(result.get())) return tl::unexpected(failure_of(connection, result.get()));
    return bounded_wait(connection, text_at(result.get(), 0, 0));
  }

  done end() {
    postgres::parameters with;
    with.add(std::string_view(before_));
    const rows result = send(connection_, "SELECT set_config('lock_timeout', $1, true)", std::array{text}, with);
    if (!went_well(result.get())) return tl::unexpected(failure_of(connection_, result.get()));
    return sent(connection_, "RELEASE SAVEPOINT onceward_begin");
  }

  // As it was before begin(), the setting included.
  done undo() {
    if (const auto back = sent(connection_, "ROLLBACK TO SAVEPOINT onceward_begin"); !back) return back;
    return sent(connection_, "RELEASE SAVEPOINT onceward_begin");
  }

 private:
  bounded_wait(PGconn* connection, std::string before) : connection_(connection), before_(std::move(before)) {}

  PGconn* connection_;
  std::string before_;
};

// ---- Recovery points ------------------------------------------------------------------------------------------------

struct recovery_point {
  std::uint32_t phase;
  std::string state;
};

// Of the attempt that owns the record.
tl::expected<std::optional<recovery_point>, failure> recovery_point_of(PGconn* connection, const record_key& key,
                                                                       const attempt_id& owner) {
  postgres::parameters with;
  with.add(key.bytes);
  with.add(owner.bytes);
  const rows result = send(connection,
                           "SELECT phase::bigint, state FROM onceward.recovery_point"
                           " WHERE record_key = $1 AND attempt = $2",
                           std::array{bytea, uuid}, with);
  if (!went_well(result.get())) return tl::unexpected(failure_of(connection, result.get()));
  if (PQntuples(result.get()) == 0) return std::nullopt;
  const auto phase = postgres::read_number(column(result.get(), 0, 0));
  if (!phase) return tl::unexpected(failure{failure_kind::refused, "the recovery point in the database is damaged"});
  return recovery_point{static_cast<std::uint32_t>(*phase), text_at(result.get(), 0, 1)};
}

done keep_recovery_point(PGconn* connection, const run& attempt) {
  postgres::parameters with;
  with.add(attempt.who.key.bytes);
  with.add(attempt.attempt.bytes);
  with.add(std::int64_t{attempt.phase});
  with.add(std::string_view(attempt.state));
  const rows result = send(connection,
                           "INSERT INTO onceward.recovery_point AS p (record_key, attempt, phase, state)"
                           " VALUES ($1, $2, $3::integer, $4)\n"
                           "ON CONFLICT (record_key) DO UPDATE SET attempt = excluded.attempt,"
                           " phase = excluded.phase, state = excluded.state",
                           std::array{bytea, uuid, int8, bytea}, with);
  if (!went_well(result.get())) return tl::unexpected(failure_of(connection, result.get()));
  return {};
}

run run_of(const claim& what, const identity& who, const claim_granted& grant) {
  return {.who = who,
          .attempt = what.attempt,
          .attempt_number = grant.attempt_number,
          .token = grant.token,
          .phase = 0,
          .state = {}};
}

// A run whose process left it between two phases goes on from the last one that was committed.
begun go_on(PGconn* connection, const identifier& rules, const identity& who, const attempt_id& owner,
            begun otherwise) {
  auto point = recovery_point_of(connection, who.key, owner);
  if (!point) return std::move(point.error());
  if (!*point) return otherwise;
  claim what = make_claim(rules, who);
  what.over_unknown = owner;
  const auto answer = ask(connection, what);
  if (!answer) return answer.error();
  const auto* grant = std::get_if<claim_granted>(&*answer);
  if (grant == nullptr) return found(*answer, who);
  run further = run_of(what, who, *grant);
  further.phase = (*point)->phase;
  further.state = std::move((*point)->state);
  if (const auto kept = keep_recovery_point(connection, further); !kept) return kept.error();
  return further;
}

begun begin_inside(PGconn* connection, const identifier& rules, const identity& who) {
  const claim what = make_claim(rules, who);
  const auto answer = ask(connection, what);
  if (!answer) return answer.error();
  if (const auto* grant = std::get_if<claim_granted>(&*answer)) return run_of(what, who, *grant);
  begun judged = found(*answer, who);
  if (!std::holds_alternative<unknown>(judged)) return judged;
  return go_on(connection, rules, who, std::get<record_unknown>(*answer).summary.attempt, std::move(judged));
}

bool is_lock_timeout(const begun& result) {
  const auto* failed = std::get_if<failure>(&result);
  return failed != nullptr && failed->code == "55P03";
}

// ---- The commit -----------------------------------------------------------------------------------------------------

// The one that a connection has from the beginning; it calls the notice processor, and looks at no argument.
PQnoticeReceiver receiver_of_libpq() {
  static const PQnoticeReceiver found = [] {
    PGconn* const nobody = PQconnectStart("=");  // Is no connection string, so nothing is connected to.
    const PQnoticeReceiver receiver = PQsetNoticeReceiver(nobody, nullptr, nullptr);
    PQfinish(nobody);
    return receiver;
  }();
  return found;
}

// Sees the warnings of a COMMIT while it lives, and hands them on.
class commit_watch {
 public:
  explicit commit_watch(PGconn* connection) : connection_(connection) {
    const PQnoticeReceiver before = PQsetNoticeReceiver(connection, nullptr, nullptr);
    if (before == nullptr || before != receiver_of_libpq()) return;
    before_ = before;
    PQsetNoticeReceiver(connection, &commit_watch::take, this);
  }
  commit_watch(const commit_watch&) = delete;
  commit_watch& operator=(const commit_watch&) = delete;
  ~commit_watch() {
    if (before_ != nullptr) PQsetNoticeReceiver(connection_, before_, nullptr);
  }

  bool saw_no_acknowledgement() const { return saw_it_; }

 private:
  static void take(void* self, const PGresult* notice) {
    auto* const watch = static_cast<commit_watch*>(self);
    watch->saw_it_ = watch->saw_it_ || commit_is_unacknowledged(notice);
    watch->before_(nullptr, notice);
  }

  PGconn* connection_;
  PQnoticeReceiver before_ = nullptr;  // Null where the caller has one of its own.
  bool saw_it_ = false;
};

// ---- The response ---------------------------------------------------------------------------------------------------

// The day on which the response expires may have no partition yet; a savepoint bears the refusal that says so.
done complete_on_new_day(PGconn* connection, const complete& what, std::chrono::milliseconds retention) {
  if (const auto back = sent(connection, "ROLLBACK TO SAVEPOINT onceward_complete"); !back) return back;
  postgres::parameters with;
  with.add(retention);
  const rows added = send(connection, postgres::text_of(postgres::statement::add_day),
                          postgres::types_of(postgres::statement::add_day), with);
  if (!went_well(added.get())) return tl::unexpected(failure_of(connection, added.get()));
  return write(connection, what);
}

// Duplicates that wait at a gateway are told with the COMMIT, if there can be any: they have seen a phase that was
// committed before. A run of one transaction is seen by nobody before its end, and is spared the notification, for
// which the server commits one transaction at a time.
done tell_gateways(PGconn* connection, const run& attempt) {
  if (attempt.phase == 0) return {};
  const std::string words = postgres::wake_up_text(std::span(&attempt.who.key, 1));
  postgres::parameters with;
  with.add(std::string_view(words));
  const rows told = send(connection, postgres::text_of(postgres::statement::notify),
                         postgres::types_of(postgres::statement::notify), with);
  if (!went_well(told.get())) return tl::unexpected(failure_of(connection, told.get()));
  return {};
}

}  // namespace

begun postgres_transaction::begin(const identity& who) {
  if (who.fingerprint == nullptr) return failure{failure_kind::refused, "the identity has no fingerprint"};
  if (auto wrong = objection_to(connection_)) return std::move(*wrong);
  auto wait = bounded_wait::begin(connection_, rules_.details().lock_wait);
  if (!wait) return std::move(wait.error());
  begun result = begin_inside(connection_, rules_, who);
  if (is_lock_timeout(result)) {
    if (const auto back = wait->undo(); !back) return back.error();
    return in_flight{};
  }
  if (std::holds_alternative<failure>(result)) return result;
  if (const auto ended = wait->end(); !ended) return ended.error();
  return result;
}

done postgres_transaction::complete(const run& attempt, const response& answer) {
  if (auto wrong = objection_to(connection_)) return tl::unexpected(std::move(*wrong));
  auto outcome = outcome_of(rules_, answer);
  if (!outcome) return tl::unexpected(failure{failure_kind::refused, std::move(outcome.error())});
  const onceward::complete what{attempt.who.key, attempt.attempt, std::move(*outcome)};
  if (const auto made = sent(connection_, "SAVEPOINT onceward_complete"); !made) return made;
  auto written = write(connection_, what);
  if (!written && postgres::judge_error(written.error().code).what_to_do == postgres::remedy::add_day) {
    written = complete_on_new_day(connection_, what, rules_.details().policy.rules.retention);
  }
  if (!written) return written;
  if (const auto told = tell_gateways(connection_, attempt); !told) return told;
  return sent(connection_, "RELEASE SAVEPOINT onceward_complete");
}

done postgres_transaction::save(run& attempt, std::string_view state) {
  if (auto wrong = objection_to(connection_)) return tl::unexpected(std::move(*wrong));
  if (state.size() > state_bytes_max) return tl::unexpected(failure{failure_kind::refused, "the state is too large"});
  if (const auto renewed = resume(attempt); !renewed) return renewed;
  run further = attempt;
  ++further.phase;
  further.state = state;
  if (const auto kept = keep_recovery_point(connection_, further); !kept) return kept;
  attempt = std::move(further);
  return {};
}

done postgres_transaction::resume(const run& attempt) {
  if (auto wrong = objection_to(connection_)) return tl::unexpected(std::move(*wrong));
  return write(connection_, renew{attempt.who.key, attempt.attempt, rules_.details().policy.rules.lease});
}

done postgres_transaction::send(const run& attempt, std::string_view topic, std::string_view payload) {
  if (auto wrong = objection_to(connection_)) return tl::unexpected(std::move(*wrong));
  if (payload.size() > outbox_payload_bytes_max) {
    return tl::unexpected(failure{failure_kind::refused, "the payload is too large for the outbox"});
  }
  postgres::parameters with;
  with.add(attempt.who.key.bytes);
  with.add(topic);
  with.add(payload);
  const rows result =
      transaction::send(connection_, "INSERT INTO onceward.outbox (record_key, topic, payload) VALUES ($1, $2, $3)",
                        std::array{bytea, text, bytea}, with);
  if (!went_well(result.get())) return tl::unexpected(failure_of(connection_, result.get()));
  return {};
}

done postgres_transaction::commit() {
  if (auto wrong = objection_to(connection_)) {
    // The server makes a ROLLBACK of the COMMIT of a failed transaction, and the caller should not have to know.
    if (wrong->kind == failure_kind::aborted) static_cast<void>(transaction::send(connection_, "ROLLBACK"));
    return tl::unexpected(std::move(*wrong));
  }
  const commit_watch watch(connection_);
  const rows result = transaction::send(connection_, "COMMIT");
  if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) {
    if (watch.saw_no_acknowledgement()) {
      return tl::unexpected(failure{failure_kind::commit_unknown, "the standby did not acknowledge the commit"});
    }
    if (PQcmdStatus(result.get()) == "COMMIT"sv) return {};
    return tl::unexpected(failure{failure_kind::aborted, "the server rolled the transaction back"});
  }
  failure why = failure_of(connection_, result.get());
  const std::string_view group = state_of(result.get()).substr(0, 2);
  if (group.empty() || group == "08" || group == "57" || why.kind == failure_kind::connection_lost) {
    why.kind = failure_kind::commit_unknown;
  }
  return tl::unexpected(std::move(why));
}

bool commit_is_unacknowledged(const pg_result* notice) {
  const char* const raised_in = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);
  return postgres::is_unacknowledged_commit(state_of(notice), raised_in == nullptr ? "" : raised_in);
}

tl::expected<std::vector<outbox_message>, failure> take_from_outbox(pg_conn* connection, std::size_t limit) {
  if (auto wrong = objection_to(connection)) return tl::unexpected(std::move(*wrong));
  postgres::parameters with;
  with.add(static_cast<std::int64_t>(std::min(limit, outbox_batch_max)));
  const rows result = send(connection,
                           "SELECT id, topic, payload FROM onceward.outbox ORDER BY id LIMIT $1"
                           " FOR UPDATE SKIP LOCKED",
                           std::array{int8}, with);
  if (!went_well(result.get())) return tl::unexpected(failure_of(connection, result.get()));
  std::vector<outbox_message> taken;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    const auto id = postgres::read_number(column(result.get(), row, 0));
    if (!id) return tl::unexpected(failure{failure_kind::refused, "the outbox in the database is damaged"});
    taken.push_back({*id, text_at(result.get(), row, 1), text_at(result.get(), row, 2)});
  }
  return taken;
}

done delete_from_outbox(pg_conn* connection, const std::vector<outbox_message>& sent) {
  if (auto wrong = objection_to(connection)) return tl::unexpected(std::move(*wrong));
  for (const outbox_message& each : sent) {
    postgres::parameters with;
    with.add(each.id);
    const rows result = send(connection, "DELETE FROM onceward.outbox WHERE id = $1", std::array{int8}, with);
    if (!went_well(result.get())) return tl::unexpected(failure_of(connection, result.get()));
  }
  return {};
}

tl::expected<std::string, std::string> postgres_secret(pg_conn* connection) {
  using refusal = tl::unexpected<std::string>;
  base::random_source random;
  const auto fresh = random.take<32>();
  const std::string identity = core::identity_of_secret({reinterpret_cast<const char*>(fresh.data()), fresh.size()});
  postgres::parameters with;
  with.add(fresh);
  with.add(std::string_view(identity));
  const rows offered =
      send(connection, "UPDATE onceward.deployment SET secret = $1, secret_id = $2 WHERE secret_id IS NULL",
           std::array{bytea, text}, with);
  if (!went_well(offered.get())) return refusal(failure_of(connection, offered.get()).message);
  const rows kept = send(connection, "SELECT secret FROM onceward.deployment", {}, postgres::parameters());
  if (!went_well(kept.get())) return refusal(failure_of(connection, kept.get()).message);
  if (PQntuples(kept.get()) != 1) return refusal("onceward.deployment has no row");
  const auto secret = column(kept.get(), 0, 0);
  if (!secret) return refusal("the deployment secret is not in the database but in a file: read it there");
  return std::string(*secret);
}

}  // namespace onceward::transaction
