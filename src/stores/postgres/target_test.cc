#include "stores/postgres/target.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace onceward::postgres {
namespace {

std::string setting(const target& of, std::string_view keyword) {
  const auto found =
      std::find_if(of.settings.begin(), of.settings.end(), [&](const auto& each) { return each.first == keyword; });
  return found == of.settings.end() ? "" : found->second;
}

TEST(target, takes_the_url_apart) {
  const auto found = parse_target("postgres://pay@db.internal:6432/payments?sslmode=verify-full");
  ASSERT_TRUE(found);
  EXPECT_EQ(setting(*found, "user"), "pay");
  EXPECT_EQ(setting(*found, "sslmode"), "verify-full");
  EXPECT_EQ(found->description, "db.internal:6432/payments");
}

TEST(target, shows_no_password) {
  const auto found = parse_target("postgresql://pay:hunter2@db/payments");
  ASSERT_TRUE(found);
  EXPECT_EQ(setting(*found, "password"), "hunter2");
  EXPECT_EQ(found->description.find("hunter2"), std::string::npos);
}

TEST(target, refuses_what_is_no_url_without_repeating_it) {
  for (const char* wrong : {"", "hunter2", "mysql://pay:hunter2@db/payments", "postgres://pay:hunter2@db:x/y?z",
                            "postgres://pay@db/payments?hunter2", "host=db password=hunter2"}) {
    const auto found = parse_target(wrong);
    ASSERT_FALSE(found) << wrong;
    EXPECT_EQ(found.error().find("hunter2"), std::string::npos);
  }
}

TEST(target, notices_a_peer_that_is_gone_unless_the_url_says_how) {
  EXPECT_EQ(setting(*parse_target("postgres://db/payments"), "keepalives_idle"), "10");
  EXPECT_EQ(setting(*parse_target("postgres://db/payments?keepalives_idle=90"), "keepalives_idle"), "90");
}

TEST(target, asks_another_server_of_a_list_first) {
  const auto listed = parse_target("postgres://a:1,b:2,c:3/payments?target_session_attrs=read-write");
  ASSERT_TRUE(listed);
  const auto first = [&](std::size_t place) {
    const target turned{with_server_first(*listed, place), ""};
    return setting(turned, "host") + " " + setting(turned, "port");
  };
  EXPECT_EQ(first(0), "a,b,c 1,2,3");
  EXPECT_EQ(first(1), "b,c,a 2,3,1");
  EXPECT_EQ(first(5), "c,a,b 3,1,2");
  const auto one_port = parse_target("postgres://a,b/payments?port=7");
  ASSERT_TRUE(one_port);
  const target turned{with_server_first(*one_port, 1), ""};
  EXPECT_EQ(setting(turned, "host"), "b,a");
  EXPECT_EQ(setting(turned, "port"), "7");
}

TEST(one_line, folds_what_libpq_says) {
  EXPECT_EQ(one_line("connection failed:\n\tno route  to host\n"), "connection failed: no route to host");
  EXPECT_EQ(one_line("\n"), "");
}

}  // namespace
}  // namespace onceward::postgres
