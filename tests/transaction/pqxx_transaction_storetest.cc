// One transaction inside one of libpqxx.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <string>

#include "integrations/pqxx/pqxx_connection.h"
#include "onceward/postgres_transaction.h"
#include "stores/postgres/migrate.h"

namespace onceward::transaction {
namespace {

TEST(pqxx_transaction, is_replayed_once_it_is_committed_and_free_when_it_is_not) {
  const std::string url = std::getenv("ONCEWARD_POSTGRES_URL");
  ASSERT_TRUE(postgres::migrate(url));
  pqxx_connection data(url);
  pqxx::nontransaction(data).exec("CREATE TABLE effect (what text)");
  const identifier rules = identifier::make(postgres_secret(data.raw()).value(), {}).value();
  const std::array fields{field_view{"Authorization", "alice"}, field_view{"Idempotency-Key", "k-1"}};
  const identity who = rules.identify({"POST", "/orders", fields, "{}"}).value();
  for (const bool commits : {false, true}) {
    pqxx::work work(data);
    postgres_transaction with(data.raw(), rules);
    const begun found = with.begin(who);
    ASSERT_TRUE(std::holds_alternative<run>(found));
    work.exec("INSERT INTO effect VALUES ('x')");
    ASSERT_TRUE(with.complete(std::get<run>(found), {201, {}, "made"}));
    if (commits) work.commit();
  }
  pqxx::work work(data);
  postgres_transaction with(data.raw(), rules);
  const begun again = with.begin(who);
  ASSERT_TRUE(std::holds_alternative<replayed>(again));
  EXPECT_EQ(std::get<replayed>(again).answer.body, "made");
  EXPECT_EQ(work.exec1("SELECT count(*) FROM effect")[0].as<int>(), 1);
}

}  // namespace
}  // namespace onceward::transaction
