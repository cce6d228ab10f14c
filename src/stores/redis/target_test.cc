#include "stores/redis/target.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace onceward::redis {
namespace {

target good(const target_words& given) {
  const auto read = parse_target(given);
  EXPECT_TRUE(read) << (read ? "" : read.error());
  return read.value_or(target{});
}

std::string refusal(const target_words& given) {
  const auto read = parse_target(given);
  return read ? "taken" : read.error();
}

TEST(target, is_taken_from_a_url) {
  const target all = good({.urls = {"rediss://pay%40x:s%2Fec%3aret@db.internal:7000/3"}});
  EXPECT_TRUE(all.encrypted);
  EXPECT_EQ(all.user, "pay@x");
  EXPECT_EQ(all.password, "s/ec:ret");
  EXPECT_EQ(all.database, 3u);
  EXPECT_EQ(all.description, "db.internal:7000");
  const target least = good({.urls = {"redis://db"}});
  EXPECT_EQ(to_text(least.nodes.front()), "db:6379");
  EXPECT_FALSE(least.encrypted);
  EXPECT_EQ(to_text(good({.urls = {"redis://[::1]:7/"}}).nodes.front()), "[::1]:7");
  EXPECT_EQ(good({.urls = {"redis://:secret@db"}}).password, "secret");
}

TEST(target, names_several_servers) {
  const target cluster = good({.urls = {"redis://a", "redis://b:1"}, .cluster = true});
  EXPECT_EQ(cluster.kind, topology::cluster);
  EXPECT_EQ(cluster.nodes.size(), 2u);
  EXPECT_EQ(cluster.description, "cluster a:6379,b:1");
  const target watched = good({.urls = {"redis://a:26379"}, .sentinel = "records"});
  EXPECT_EQ(watched.kind, topology::sentinel);
  EXPECT_EQ(watched.primary_name, "records");
}

TEST(target, takes_the_password_from_the_environment_where_nothing_else_has_it) {
  ::setenv("REDISCLI_AUTH", "of the client", 1);
  EXPECT_EQ(good({.urls = {"redis://user@db"}}).password, "of the client");
  ::setenv("ONCEWARD_REDIS_PASSWORD", "of ours", 1);
  EXPECT_EQ(good({.urls = {"redis://user@db"}}).password, "of ours");
  EXPECT_EQ(good({.urls = {"redis://user:own@db"}}).password, "own");
  ::unsetenv("REDISCLI_AUTH");
  ::unsetenv("ONCEWARD_REDIS_PASSWORD");
  EXPECT_NE(refusal({.urls = {"redis://user@db"}}).find("ONCEWARD_REDIS_PASSWORD"), std::string::npos);
  EXPECT_NE(refusal({.urls = {"redis://db"}, .password_file = "/nowhere"}).find("/nowhere"), std::string::npos);
}

TEST(target, is_refused_without_repeating_the_url) {
  for (const char* const url : {"", "http://db", "redis://", "redis://hunter2@", "redis://:hunter2@db:0",
                                "redis://:hunter2@db:x", "redis://:hunter2@db:70000", "redis://:hunter2@db/x",
                                "redis://:hunter2@db?ssl=1", "redis://:hunter%2@db", "redis://:hunter2@[::1"}) {
    const std::string why = refusal({.urls = {url}});
    EXPECT_NE(why, "taken") << url;
    EXPECT_EQ(why.find("hunter"), std::string::npos) << why;
  }
  EXPECT_NE(refusal({}), "taken");
  EXPECT_NE(refusal({.urls = {"redis://a", "rediss://b"}}).find("one store"), std::string::npos);
  EXPECT_NE(refusal({.urls = {"redis://a/1"}, .cluster = true}).find("database"), std::string::npos);
  EXPECT_NE(refusal({.urls = {"redis://a"}, .sentinel = "x", .cluster = true}).find("not both"), std::string::npos);
  EXPECT_NE(refusal({.urls = {"redis://a"}, .ca_file = "/ca"}).find("rediss://"), std::string::npos);
}

}  // namespace
}  // namespace onceward::redis
