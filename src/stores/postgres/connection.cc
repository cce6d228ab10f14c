#include "stores/postgres/connection.h"

#include <poll.h>

#include <cstring>
#include <utility>

#include "base/assert.h"
#include "base/random.h"
#include "stores/postgres/server_error.h"

namespace onceward::postgres {
namespace {

constexpr int text_format = 0;
constexpr int binary_format = 1;

// What every session of ours is set to. Statements name the schema of whatever they use.
constexpr const char* session_text =
    "SELECT set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false),"
    " set_config('search_path', 'pg_catalog', false), set_config('plan_cache_mode', 'force_generic_plan', false),"
    " set_config('jit', 'off', false), set_config('client_min_messages', 'warning', false),"
    " set_config('default_transaction_isolation', 'read committed', false),"
    " set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false),"
    " set_config('tcp_keepalives_count', '3', false)";

// A plan is made once, maybe before there is a record. It is to be good for many of them.
constexpr const char* by_key_text =
    "SELECT set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false),"
    " set_config('enable_mergejoin', 'off', false)";

constexpr const char* schema_version_text = "SELECT schema_version FROM onceward.deployment";

// The places of their results while a connection is set up.
constexpr std::size_t facts_place = 1;
constexpr std::size_t schema_place = 2;

std::string state_of(const PGresult* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return state == nullptr ? std::string() : std::string(state);
}

}  // namespace

// ---- What a statement came to --------------------------------------------------------------------------------------

void statement_result::clear::operator()(PGresult* result) const {
  PQclear(result);
}

statement_result::statement_result(PGresult* taken) : result_(taken) {}

std::optional<std::string> statement_result::error_state() const {
  const ExecStatusType status = PQresultStatus(result_.get());
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return std::nullopt;
  return state_of(result_.get());
}

bool statement_result::was_aborted() const {
  return PQresultStatus(result_.get()) == PGRES_PIPELINE_ABORTED;
}

std::string statement_result::error_text() const {
  const char* primary = PQresultErrorField(result_.get(), PG_DIAG_MESSAGE_PRIMARY);
  return one_line(primary == nullptr ? PQresultErrorMessage(result_.get()) : primary);
}

std::size_t statement_result::rows() const {
  return static_cast<std::size_t>(PQntuples(result_.get()));
}

std::vector<column_view> statement_result::row(std::size_t number) const {
  std::vector<column_view> columns(static_cast<std::size_t>(PQnfields(result_.get())));
  const int line = static_cast<int>(number);
  for (int i = 0; i < PQnfields(result_.get()); ++i) {
    if (PQgetisnull(result_.get(), line, i) != 0) continue;
    columns[static_cast<std::size_t>(i)] = std::string_view(
        PQgetvalue(result_.get(), line, i), static_cast<std::size_t>(PQgetlength(result_.get(), line, i)));
  }
  return columns;
}

// ---- Coming up -----------------------------------------------------------------------------------------------------

void connection::finish::operator()(PGconn* made) const {
  PQfinish(made);
}

connection::connection(const connection_settings& settings, purpose what, connection_user& user)
    : settings_(settings), purpose_(std::move(what)), user_(user) {
  const auto seed = base::random_source().take<sizeof random_>();
  std::memcpy(&random_, seed.data(), sizeof random_);
}

connection::~connection() = default;

int connection::descriptor() const {
  return made_ == nullptr ? -1 : PQsocket(made_.get());
}

short connection::events() const {
  if (state_ == state::connecting) return wants_to_write_ ? POLLOUT : POLLIN;
  return static_cast<short>(wants_to_write_ ? POLLIN | POLLOUT : POLLIN);
}

void connection::turn(short ready, base::moment now) {
  switch (state_) {
    case state::waiting:
      if (now >= due_) begin(now);
      return;
    case state::connecting:
      if (now >= due_)
        return drop("no connection within " + std::to_string(settings_.connect_timeout.count()) + " ms", now);
      if (ready != 0) go_on_connecting(now);
      return;
    case state::setting_up:
    case state::busy:
      if (now >= due_) return drop("no answer within " + std::to_string(settings_.answer_timeout.count()) + " ms", now);
      return transfer(ready, now);
    case state::idle:
      return transfer(ready, now);
  }
}

void connection::begin(base::moment now) {
  std::vector<const char*> keywords, values;
  const auto settings = with_server_first(settings_.where, first_server_);
  for (const auto& [keyword, value] : settings) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  made_.reset(PQconnectStartParams(keywords.data(), values.data(), 0));
  state_ = state::connecting;
  due_ = now + settings_.connect_timeout;
  wants_to_write_ = true;
  if (made_ == nullptr) return drop("out of memory", now);
  if (PQstatus(made_.get()) == CONNECTION_BAD) drop(one_line(PQerrorMessage(made_.get())), now);
}

void connection::go_on_connecting(base::moment now) {
  switch (PQconnectPoll(made_.get())) {
    case PGRES_POLLING_READING:
      wants_to_write_ = false;
      return;
    case PGRES_POLLING_WRITING:
      wants_to_write_ = true;
      return;
    case PGRES_POLLING_OK:
      return set_up(now);
    case PGRES_POLLING_FAILED:
    case PGRES_POLLING_ACTIVE:
      return drop(one_line(PQerrorMessage(made_.get())), now);
  }
}

void connection::set_up(base::moment now) {
  PGconn* const made = made_.get();
  PQsetNoticeReceiver(made, &connection::take_notice, this);
  const std::string statement_timeout = std::to_string(settings_.statement_timeout.count());
  const std::string lock_timeout = std::to_string(settings_.lock_timeout.count());
  const std::array limits{statement_timeout.c_str(), lock_timeout.c_str()};
  const std::string facts(server_facts_text());
  const std::string listen = "LISTEN " + std::string(wake_up_channel);
  const auto ask = [made](const char* text) {
    return PQsendQueryParams(made, text, 0, nullptr, nullptr, nullptr, nullptr, text_format) == 1;
  };
  bool good = PQsetnonblocking(made, 1) == 0 && PQenterPipelineMode(made) == 1 &&
              PQsendQueryParams(made, session_text, limits.size(), nullptr, limits.data(), nullptr, nullptr,
                                text_format) == 1 &&
              ask(facts.c_str()) && ask(schema_version_text);
  if (good && purpose_.listens) good = ask(listen.c_str());
  if (good && purpose_.finds_by_key) good = ask(by_key_text);
  for (const statement each : purpose_.statements) {
    const auto types = types_of(each);
    good = good && PQsendPrepare(made, std::string(name_of(each)).c_str(), text_of(each).c_str(),
                                 static_cast<int>(types.size()), types.data()) == 1;
  }
  if (!good || PQpipelineSync(made) != 1) return drop(one_line(PQerrorMessage(made)), now);
  state_ = state::setting_up;
  due_ = now + settings_.connect_timeout;
  wants_to_write_ = PQflush(made) == 1;
}

std::optional<std::string> connection::objection(std::optional<server_facts>& facts) const {
  const auto version_of = [](const statement_result& result) -> std::optional<std::int64_t> {
    if (result.error_state() || result.rows() != 1) return std::nullopt;
    const auto column = result.row(0)[0];
    return column ? std::optional<std::int64_t>(std::atoll(std::string(*column).c_str())) : std::nullopt;
  };
  for (std::size_t place = 0; place < results_.size(); ++place) {
    const statement_result& each = results_[place];
    const auto failed = each.error_state();
    if (place == schema_place && (!failed || judge_error(*failed).reason == errc::version)) {
      if (auto wrong = objection_to_schema(version_of(each))) return wrong;
    }
    if (failed) return each.error_text();
    if (place == facts_place) {
      if (each.rows() == 1) facts = read_server_facts(each.row(0));
      if (!facts) return "the server does not tell what it is";
      if (auto wrong = objection_to(*facts, settings_.level)) return wrong;
    }
  }
  return std::nullopt;
}

void connection::end_setting_up(base::moment now) {
  std::optional<server_facts> facts;
  if (const auto wrong = objection(facts)) return drop(*wrong, now);
  results_.clear();
  failed_ = false;
  state_ = state::idle;
  due_ = base::moment::max();
  server_ = identity_of(*facts);
  user_.on_connected(*facts);
}

// ---- Batches -------------------------------------------------------------------------------------------------------

void connection::add(statement which, const parameters& with) {
  onceward_assert(state_ == state::idle);
  // A failure here is one of the connection, which the next turn sees.
  static_cast<void>(PQsendQueryPrepared(made_.get(), std::string(name_of(which)).c_str(), with.count(), with.values(),
                                        with.lengths(), parameters::formats(), binary_format));
}

void connection::send(base::moment now) {
  onceward_assert(state_ == state::idle);
  static_cast<void>(PQpipelineSync(made_.get()));
  state_ = state::busy;
  commit_unacknowledged_ = false;
  due_ = now + settings_.answer_timeout;
  wants_to_write_ = PQflush(made_.get()) == 1;
}

void connection::transfer(short ready, base::moment now) {
  PGconn* const made = made_.get();
  if ((ready & POLLOUT) != 0) {
    const int flushed = PQflush(made);
    if (flushed < 0) return drop(one_line(PQerrorMessage(made)), now);
    wants_to_write_ = flushed == 1;
  }
  if ((ready & (POLLIN | POLLERR | POLLHUP)) != 0 && PQconsumeInput(made) != 1) {
    take_results();
    return drop(last_words(), now);
  }
  const bool synchronised = take_results();
  if (PQstatus(made) == CONNECTION_BAD) return drop(last_words(), now);
  take_notifications();
  if (!synchronised) return;
  if (state_ == state::setting_up) return end_setting_up(now);
  end_batch();
}

bool connection::take_results() {
  if (state_ == state::idle) return false;
  bool was_end = false;
  while (PQisBusy(made_.get()) == 0) {
    PGresult* const result = PQgetResult(made_.get());
    if (result == nullptr && was_end) return false;
    was_end = result == nullptr;
    if (was_end) continue;  // Of one statement's results.
    if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
      PQclear(result);
      return true;
    }
    results_.emplace_back(result);
    if (PQstatus(made_.get()) == CONNECTION_BAD) return false;
  }
  return false;
}

// A server that ends says why before libpq says that it ended.
std::string connection::last_words() const {
  if (!results_.empty() && results_.back().error_state().value_or("") != "") return results_.back().error_text();
  return one_line(PQerrorMessage(made_.get()));
}

void connection::take_notifications() {
  while (PGnotify* const told = PQnotifies(made_.get())) {
    const bool own = told->be_pid == PQbackendPID(made_.get());
    if (!own) user_.on_notification(told->extra);
    PQfreemem(told);
  }
}

void connection::end_batch() {
  std::vector<statement_result> results = std::exchange(results_, {});
  batch_end end = commit_unacknowledged_ ? batch_end::indefinite : batch_end::committed;
  for (const statement_result& each : results) {
    if (each.error_state()) end = batch_end::rolled_back;
  }
  state_ = state::idle;
  due_ = base::moment::max();
  if (end == batch_end::committed) {
    proven_ = true;
    pause_.reset();
  }
  user_.on_batch(end, std::move(results));
}

void connection::take_notice(void* self, const PGresult* notice) {
  const char* const raised_in = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);
  if (!is_unacknowledged_commit(state_of(notice), raised_in == nullptr ? "" : raised_in)) return;
  static_cast<connection*>(self)->commit_unacknowledged_ = true;
}

void connection::drop(const std::string& why, base::moment now) {
  const bool was_used = state_ == state::idle || state_ == state::busy;
  made_.reset();
  results_.clear();
  wants_to_write_ = false;
  failed_ = !was_used;
  if (failed_) ++first_server_;
  state_ = state::waiting;
  random_ = random_ * 1664525u + 1013904223u;
  // What worked until now is tried again at once.
  due_ = std::exchange(proven_, false) ? now : now + pause_.next(random_ >> 8);
  user_.on_lost(why);
}

void connection::refuse(const std::string& why, base::moment now) {
  state_ = state::setting_up;
  drop(why, now);
}

void connection::end_pause() {
  if (state_ == state::waiting) due_ = {};
}

}  // namespace onceward::postgres
