#include "stores/postgres/session.h"

namespace onceward::postgres {
namespace {

struct clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using owned_result = std::unique_ptr<PGresult, clear>;

bool is_good(const owned_result& result) {
  const ExecStatusType status = PQresultStatus(result.get());
  return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

query_failure failure_of(const owned_result& result, PGconn* made) {
  const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
  const char* primary = PQresultErrorField(result.get(), PG_DIAG_MESSAGE_PRIMARY);
  return {state == nullptr ? "" : state, one_line(primary == nullptr ? PQerrorMessage(made) : primary)};
}

}  // namespace

void session::finish::operator()(PGconn* made) const {
  PQfinish(made);
}

tl::expected<session, std::string> session::open(const target& where) {
  std::vector<const char*> keywords, values;
  for (const auto& [keyword, value] : where.settings) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  session made(PQconnectdbParams(keywords.data(), values.data(), 0));
  if (PQstatus(made.made_.get()) != CONNECTION_OK) {
    return tl::unexpected("cannot reach PostgreSQL at " + where.description + ": " +
                          one_line(PQerrorMessage(made.made_.get())));
  }
  PQsetNoticeProcessor(made.made_.get(), [](void*, const char*) {}, nullptr);
  return made;
}

tl::expected<std::vector<text_row>, query_failure> session::ask(const std::string& text,
                                                                const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  for (const std::string& each : parameters)
    values.push_back(each.c_str());
  const owned_result result(PQexecParams(made_.get(), text.c_str(), static_cast<int>(values.size()), nullptr,
                                         values.data(), nullptr, nullptr, 0));
  if (!is_good(result)) return tl::unexpected(failure_of(result, made_.get()));
  std::vector<text_row> rows(static_cast<std::size_t>(PQntuples(result.get())));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const int line = static_cast<int>(i);
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      const bool is_null = PQgetisnull(result.get(), line, column) != 0;
      rows[i].push_back(is_null ? std::nullopt : std::optional<std::string>(PQgetvalue(result.get(), line, column)));
    }
  }
  return rows;
}

tl::expected<void, query_failure> session::run(const std::string& text) {
  const owned_result result(PQexec(made_.get(), text.c_str()));
  if (!is_good(result)) return tl::unexpected(failure_of(result, made_.get()));
  return {};
}

}  // namespace onceward::postgres
