// How the server runs the store's statements: no command looks through a table, and docs/postgres.md shows the plans.
// To write them anew: ONCEWARD_WRITE_REFERENCE=1, for this program.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "stores/postgres/migrate.h"
#include "stores/postgres/parameters.h"
#include "stores/postgres/session.h"
#include "stores/postgres/statements.h"

namespace onceward::postgres {
namespace {

constexpr std::string_view path = ONCEWARD_SOURCE_DIR "/docs/postgres.md";
constexpr std::string_view begin_mark = "<!-- plans: begin -->\n";
constexpr std::string_view end_mark = "<!-- plans: end -->\n";

constexpr std::array shown{statement::claim,         statement::claim_many, statement::renew,   statement::complete,
                           statement::complete_many, statement::give_up,    statement::release, statement::find,
                           statement::list_unknown,  statement::purge};

// A database of its own, with enough in it for the planner to care.
session prepared_database() {
  const std::string url = std::getenv("ONCEWARD_POSTGRES_URL");
  const std::string own_url = url.substr(0, url.rfind('/')) + "/plans";
  auto first = session::open(*parse_target(url));
  EXPECT_TRUE(first->run("CREATE DATABASE plans"));
  EXPECT_TRUE(migrate(own_url));
  auto with = session::open(*parse_target(own_url));
  EXPECT_TRUE(with->run("SELECT onceward.add_response_day(day) FROM generate_series(20000, 20001) AS day"));
  EXPECT_TRUE(
      with->run("INSERT INTO onceward.record (record_key, attempt, attempt_number, fence, state, first_seen, ended_at, "
                "expires_at,"
                " retention, response_day, response_expires_at, fingerprint, tombstone)"
                " SELECT sha256(n::text::bytea), gen_random_uuid(), 1, n, 2, 0, 0, 1728000000000 + n * 10000, 86400000,"
                " 20000 + n % 2, 1728000000000, 'f', 't' FROM generate_series(1, 20000) AS n"));
  EXPECT_TRUE(
      with->run("INSERT INTO onceward.response SELECT 20000 + n % 2, n, 'body' FROM generate_series(1, 20000) AS n"));
  EXPECT_TRUE(with->run("ANALYZE"));
  EXPECT_TRUE(with->run("SET plan_cache_mode = force_generic_plan"));
  return *std::move(with);
}

std::string plan_of(session& with, statement which) {
  const std::string name(name_of(which));
  std::string arguments;
  for (std::size_t i = 0; i < types_of(which).size(); ++i)
    arguments += (i == 0 ? "(NULL" : ", NULL");
  std::string types;
  for (const unsigned type : types_of(which))
    types += (types.empty() ? "" : ", ") +
             with.ask("SELECT format_type($1::oid, NULL)", {std::to_string(type)})->at(0)[0].value();
  EXPECT_TRUE(with.run("PREPARE " + name + " (" + types + ") AS " + text_of(which)));
  const auto lines = with.ask("EXPLAIN (COSTS OFF) EXECUTE " + name + arguments + ")");
  EXPECT_TRUE(lines) << lines.error().message;
  std::string plan;
  for (const text_row& line : *lines)
    plan += *line[0] + "\n";
  return plan;
}

TEST(postgres_plans, are_those_of_the_documentation_and_find_a_record_by_its_key) {
  session with = prepared_database();
  std::string written;
  for (const statement each : shown) {
    const bool finds_by_key = each != statement::list_unknown && each != statement::purge;
    const std::string value = finds_by_key ? "off" : "on";
    // As for the connections that carry commands.
    for (const char* each_setting : {"enable_seqscan", "enable_hashjoin", "enable_mergejoin"})
      EXPECT_TRUE(with.run(std::string("SET ") + each_setting + " = " + value));
    const std::string plan = plan_of(with, each);
    if (finds_by_key) {
      EXPECT_EQ(plan.find("Seq Scan"), std::string::npos) << plan;
    }
    written += "### `" + std::string(name_of(each)) + "`\n\n```\n" + plan + "```\n\n";
  }

  std::ifstream file{std::string(path)};
  std::stringstream text;
  text << file.rdbuf();
  std::string page = text.str();
  const std::size_t begin = page.find(begin_mark) + begin_mark.size();
  const std::size_t end = page.find(end_mark);
  ASSERT_LE(begin, end);
  if (std::getenv("ONCEWARD_WRITE_REFERENCE") != nullptr) {
    page.replace(begin, end - begin, "\n" + written);
    std::ofstream{std::string(path)} << page;
    return;
  }
  EXPECT_EQ(page.substr(begin, end - begin), "\n" + written);
}

}  // namespace
}  // namespace onceward::postgres
