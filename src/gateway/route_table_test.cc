#include "gateway/route_table.h"

#include <gtest/gtest.h>

namespace onceward::gateway {
namespace {

struct described_route {
  std::string name;
  std::string path;
  std::vector<std::string> methods = {};
  std::vector<std::string> guarded = {"POST", "PATCH"};
};

settings with_routes(const std::vector<described_route>& routes) {
  settings all;
  all.defaults = *core::profile("default");
  for (const described_route& one : routes) {
    route added{one.path, one.methods, *core::profile("default")};
    added.rules.name = one.name;
    added.rules.methods = one.guarded;
    all.routes.push_back(added);
  }
  return all;
}

// The name of the rules that hold, or "refused".
std::string found(const route_table& table, std::string_view method, std::string_view path) {
  const auto match = table.match(method, path);
  if (!match) return "refused";
  EXPECT_EQ(&table.rules(match->index), match->rules);
  return match->rules->rules.name;
}

TEST(route_table, takes_the_first_route_that_matches) {
  const auto table =
      route_table::make(with_routes({{"item", "/v1/items/*"}, {"v1", "/v1/**"}, {"post", "/x", {"POST"}}}));
  ASSERT_TRUE(table);
  EXPECT_EQ(table->size(), 4U);
  EXPECT_EQ(found(*table, "POST", "/v1/items/1"), "item");
  EXPECT_EQ(found(*table, "POST", "/v1/items/1/parts"), "v1");
  EXPECT_EQ(found(*table, "GET", "/v1"), "v1");
  EXPECT_EQ(found(*table, "POST", "/x"), "post");
  EXPECT_EQ(found(*table, "PUT", "/x"), "default");
  EXPECT_EQ(found(*table, "POST", "/y"), "default");
  EXPECT_EQ(table->match("POST", "/y")->index, 3U);
}

TEST(route_table, gives_requests_without_a_path_the_defaults) {
  const auto table = route_table::make(with_routes({{"all", "/**"}}));
  EXPECT_EQ(found(*table, "OPTIONS", "*"), "default");
  EXPECT_EQ(found(*table, "CONNECT", ""), "default");
}

constexpr std::string_view ambiguous[] = {"/v1//a", "/v1/../a", "/v1%2fa", "/v1/%61", "/v1\\a", "/v1/%zz", "/%00"};

TEST(route_table, passes_ambiguous_paths_where_there_is_only_one_reading) {
  const auto none = route_table::make(with_routes({}));
  const auto everything = route_table::make(with_routes({{"all", "/**"}, {"never", "/v1"}}));
  const auto other_method = route_table::make(with_routes({{"put", "/v1/**", {"PUT"}, {"PUT"}}}));
  for (const std::string_view path : ambiguous) {
    EXPECT_EQ(found(*none, "POST", path), "default") << path;
    EXPECT_EQ(found(*everything, "POST", path), "all") << path;
    EXPECT_EQ(found(*other_method, "POST", path), "default") << path;
  }
}

TEST(route_table, passes_ambiguous_paths_of_methods_that_nobody_guards) {
  const auto table = route_table::make(with_routes({{"v1", "/v1/**"}}));
  for (const std::string_view path : ambiguous)
    EXPECT_EQ(found(*table, "GET", path), "v1") << path;
}

TEST(route_table, refuses_ambiguous_paths_where_the_reading_decides) {
  const auto by_route = route_table::make(with_routes({{"v1", "/v1/**"}}));
  const auto only_route_guards = route_table::make(with_routes({{"v1", "/v1/**", {"PUT"}, {"PUT"}}}));
  for (const std::string_view path : ambiguous) {
    EXPECT_EQ(found(*by_route, "POST", path), "refused") << path;
    EXPECT_EQ(found(*only_route_guards, "PUT", path), "refused") << path;
  }
}

TEST(route_table, is_not_made_of_rules_that_contradict_themselves) {
  settings all = with_routes({{"a", "/a"}});
  all.routes[0].rules.key.pattern = "(";
  ASSERT_FALSE(route_table::make(all));
  EXPECT_EQ(route_table::make(all).error().setting, "key.pattern");
  EXPECT_EQ(route_table::make(with_routes({{"a", "a"}})).error().setting, "match.path");
}

}  // namespace
}  // namespace onceward::gateway
