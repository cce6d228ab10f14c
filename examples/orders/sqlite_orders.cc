// Orders in SQLite: the same as postgres_orders.cc, where the data is one file.
//
//   sqlite_orders FILE setup                               makes the tables, with 10 of everything
//   sqlite_orders FILE place CUSTOMER KEY ITEM QUANTITY    places an order; says the response

#include <sqlite3.h>

#include "onceward/sqlite_transaction.h"
#include "order.h"

namespace {

using orders::order;
using orders::teller;
using namespace onceward::transaction;

constexpr int busy_ms_max = 10'000;

constexpr const char* tables = R"(
CREATE TABLE stock (item TEXT PRIMARY KEY, quantity INTEGER NOT NULL CHECK (quantity >= 0));
INSERT INTO stock VALUES ('tea', 10), ('cups', 10);
CREATE TABLE charge (customer TEXT NOT NULL, item TEXT NOT NULL, quantity INTEGER NOT NULL);
)";

bool run_sql(sqlite3* connection, const char* sql) {
  return sqlite3_exec(connection, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
}

// How many rows it changed; -1 where it failed.
int change(sqlite3* connection, const char* sql, const std::vector<std::string>& values) {
  sqlite3_stmt* made = nullptr;
  bool good = sqlite3_prepare_v2(connection, sql, -1, &made, nullptr) == SQLITE_OK;
  int place = 0;
  for (const std::string& each : values)
    good = good && sqlite3_bind_text(made, ++place, each.c_str(), -1, SQLITE_STATIC) == SQLITE_OK;
  good = good && sqlite3_step(made) == SQLITE_DONE;
  sqlite3_finalize(made);
  return good ? sqlite3_changes(connection) : -1;
}

tl::expected<response, failure> carry_out(sqlite3* connection, const order& placed) {
  const failure failed{failure_kind::refused, "the order's statements failed"};
  const int taken =
      change(connection, "UPDATE stock SET quantity = quantity - ?2 WHERE item = ?1 AND quantity >= ?2 + 0",
             {placed.item, placed.quantity});
  if (taken < 0) return tl::unexpected(failed);
  if (taken == 0) return orders::sold_out();
  const int charged =
      change(connection, "INSERT INTO charge VALUES (?, ?, ?)", {placed.customer, placed.item, placed.quantity});
  if (charged != 1) return tl::unexpected(failed);
  return orders::accepted(placed);
}

int place(sqlite3* connection, const identifier& rules, const order& placed) {
  const auto who = placed.identify(rules);
  if (!who) return teller::refuse(who.error());
  // Duplicates wait here for the one that runs.
  if (!run_sql(connection, "BEGIN IMMEDIATE")) return teller::refuse(sqlite3_errmsg(connection));
  sqlite_transaction with(connection, rules);
  const begun found = with.begin(*who);
  const auto* attempt = std::get_if<run>(&found);
  if (attempt == nullptr) {
    run_sql(connection, "ROLLBACK");
    return std::visit(teller{}, found);
  }
  const auto answer = carry_out(connection, placed);
  done result = answer ? with.send(*attempt, "orders", placed.body()) : done(tl::unexpected(answer.error()));
  if (result) result = with.complete(*attempt, *answer);
  if (result) result = with.commit();
  if (result) return orders::say("ran", *answer);
  run_sql(connection, "ROLLBACK");
  return teller{}(result.error());
}

int act(sqlite3* connection, const std::vector<std::string>& words) {
  sqlite3_busy_timeout(connection, busy_ms_max);
  const auto secret = prepare_sqlite(connection);
  if (!secret) return teller::refuse(secret.error());
  if (words.size() == 1 && words[0] == "setup") return run_sql(connection, tables) ? 0 : 1;
  if (words.size() != 5 || words[0] != "place")
    return teller::refuse("usage: FILE setup | FILE place CUSTOMER KEY ITEM QUANTITY");
  const auto rules = identifier::make(*secret, {});
  if (!rules) return teller::refuse(rules.error());
  return place(connection, *rules, {words[1], words[2], words[3], words[4]});
}

}  // namespace

int main(int count, char** words) {
  sqlite3* connection = nullptr;
  if (count < 2 || sqlite3_open(words[1], &connection) != SQLITE_OK) return teller::refuse("cannot open the file");
  const int status = act(connection, std::vector<std::string>(words + 2, words + count));
  sqlite3_close(connection);
  return status;
}
