// Orders in PostgreSQL: stock, charge, message and response are one transaction with the record of the request.
//
//   postgres_orders URL setup                               makes the tables, with 10 of everything
//   postgres_orders URL place CUSTOMER KEY ITEM QUANTITY    places an order; says the response
//
// `onceward store migrate` has made the schema `onceward` before.

#include <postgresql/libpq-fe.h>

#include "onceward/postgres_transaction.h"
#include "order.h"

namespace {

using orders::order;
using orders::teller;
using namespace onceward::transaction;

constexpr int tries_max = 10;

constexpr const char* tables = R"(
CREATE TABLE stock (item text PRIMARY KEY, quantity integer NOT NULL CHECK (quantity >= 0));
INSERT INTO stock VALUES ('tea', 10), ('cups', 10);
CREATE TABLE charge (customer text NOT NULL, item text NOT NULL, quantity integer NOT NULL);
)";

// How many rows it changed; -1 where it failed.
int change(PGconn* connection, const char* sql, std::initializer_list<const char*> values) {
  PGresult* result =
      PQexecParams(connection, sql, static_cast<int>(values.size()), nullptr, values.begin(), nullptr, nullptr, 0);
  const bool good = PQresultStatus(result) == PGRES_COMMAND_OK;
  const int rows = good ? std::atoi(PQcmdTuples(result)) : -1;
  PQclear(result);
  return rows;
}

bool run_sql(PGconn* connection, const char* sql) {
  PGresult* result = PQexec(connection, sql);
  const bool good = PQresultStatus(result) == PGRES_COMMAND_OK;
  PQclear(result);
  return good;
}

// The business statements of a new order, and its response.
tl::expected<response, failure> carry_out(PGconn* connection, const order& placed) {
  const failure failed{failure_kind::refused, "the order's statements failed"};
  const int taken = change(connection,
                           "UPDATE stock SET quantity = quantity - $2::integer"
                           " WHERE item = $1 AND quantity >= $2::integer",
                           {placed.item.c_str(), placed.quantity.c_str()});
  if (taken < 0) return tl::unexpected(failed);
  if (taken == 0) return orders::sold_out();
  const int charged = change(connection, "INSERT INTO charge VALUES ($1, $2, $3::integer)",
                             {placed.customer.c_str(), placed.item.c_str(), placed.quantity.c_str()});
  if (charged != 1) return tl::unexpected(failed);
  return orders::accepted(placed);
}

// One transaction: all of it is true, or none. What there is to tell but for a new response is in `found`.
tl::expected<response, begun> try_once(PGconn* connection, const identifier& rules, const identity& who,
                                       const order& placed) {
  if (!run_sql(connection, "BEGIN")) {
    return tl::unexpected(begun(failure{failure_kind::connection_lost, "cannot begin a transaction"}));
  }
  postgres_transaction with(connection, rules);
  begun found = with.begin(who);
  const auto* attempt = std::get_if<run>(&found);
  if (attempt == nullptr) {
    run_sql(connection, "ROLLBACK");
    return tl::unexpected(std::move(found));
  }
  const auto answer = carry_out(connection, placed);
  done result = answer ? with.send(*attempt, "orders", placed.body()) : done(tl::unexpected(answer.error()));
  if (result) result = with.complete(*attempt, *answer);
  if (result) result = with.commit();
  if (result) return *answer;
  run_sql(connection, "ROLLBACK");
  return tl::unexpected(begun(result.error()));
}

int place(PGconn* connection, const identifier& rules, const order& placed) {
  const auto who = placed.identify(rules);
  if (!who) return teller::refuse(who.error());
  for (int tries = 1;; ++tries) {
    const auto answer = try_once(connection, rules, *who, placed);
    if (answer) return orders::say("ran", *answer);
    const auto* failed = std::get_if<failure>(&answer.error());
    const bool again = failed != nullptr && failed->kind == failure_kind::run_again && tries < tries_max;
    if (!again) return std::visit(teller{}, answer.error());
  }
}

int act(PGconn* connection, const std::vector<std::string>& words) {
  if (PQstatus(connection) != CONNECTION_OK) return teller::refuse(PQerrorMessage(connection));
  if (words.size() == 1 && words[0] == "setup") return run_sql(connection, tables) ? 0 : 1;
  if (words.size() != 5 || words[0] != "place")
    return teller::refuse("usage: URL setup | URL place CUSTOMER KEY ITEM QUANTITY");
  const auto secret = postgres_secret(connection);
  if (!secret) return teller::refuse(secret.error());
  const auto rules = identifier::make(*secret, {});
  if (!rules) return teller::refuse(rules.error());
  return place(connection, *rules, {words[1], words[2], words[3], words[4]});
}

}  // namespace

int main(int count, char** words) {
  PGconn* connection = PQconnectdb(count > 1 ? words[1] : "");
  const int status = act(connection, std::vector<std::string>(words + std::min(count, 2), words + count));
  PQfinish(connection);
  return status;
}
