// A stranger's program: one request, run once and replayed once, in a SQLite database in memory.
#include <sqlite3.h>

#include <array>
#include <cstdio>

#include "onceward/sqlite_transaction.h"

using namespace onceward::transaction;

int main() {
  sqlite3* data = nullptr;
  if (sqlite3_open(":memory:", &data) != SQLITE_OK) return 1;
  const auto rules = identifier::make(prepare_sqlite(data).value(), {}).value();
  const std::array fields{field_view{"Authorization", "alice"}, field_view{"Idempotency-Key", "k-1"}};
  const auto who = rules.identify({"POST", "/charges", fields, "{}"}).value();
  for (int times = 0; times < 2; ++times) {
    sqlite_transaction with(data, rules);
    sqlite3_exec(data, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
    const begun found = with.begin(who);
    if (const auto* attempt = std::get_if<run>(&found)) {
      if (!with.complete(*attempt, {201, {}, "charged"})) return 1;
      std::puts("ran");
    }
    if (const auto* again = std::get_if<replayed>(&found)) std::printf("replayed %s\n", again->answer.body.c_str());
    if (!with.commit()) return 1;
  }
  sqlite3_close(data);
}
