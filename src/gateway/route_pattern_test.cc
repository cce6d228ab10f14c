#include "gateway/route_pattern.h"

#include <random>

#include <gtest/gtest.h>

namespace onceward::gateway {
namespace {

route_pattern pattern(std::string_view text) {
  auto parsed = route_pattern::parse(text);
  EXPECT_TRUE(parsed) << text << ": " << parsed.error();
  return std::move(*parsed);
}

struct matching {
  std::string_view pattern;
  std::vector<std::string_view> yes;
  std::vector<std::string_view> no;
};

TEST(route_pattern, matches_segment_by_segment) {
  const matching table[] = {
      {"/", {"/"}, {"/a", "/a/"}},
      {"/v1/charges", {"/v1/charges"}, {"/v1/charges/", "/v1/charges/1", "/v1", "/v1/Charges", "/"}},
      {"/v1/charges/", {"/v1/charges/"}, {"/v1/charges", "/v1/charges/1"}},
      {"/v1/*", {"/v1/a", "/v1/*", "/v1/a%20b"}, {"/v1", "/v1/", "/v1/a/", "/v1/a/b"}},
      {"/*/items", {"/a/items"}, {"//items", "/items", "/a/b/items", "/a/items/"}},
      {"/v1/**", {"/v1", "/v1/", "/v1/a", "/v1/a/b/", "/v1/a/b/c"}, {"/", "/v2", "/v10"}},
      {"/**", {"/", "/a", "/a/", "/a/b/c"}, {}},
      {"/**/items", {"/items", "/a/items", "/a/b/items", "/items/items"}, {"/", "/items/", "/a/items/b"}},
      {"/a/**/b/**/c", {"/a/b/c", "/a/x/b/c", "/a/b/b/c/c", "/a/b/x/y/c"}, {"/a/b", "/a/c", "/a/b/c/d", "/b/c"}},
      {"/**/*", {"/a", "/a/b"}, {"/", "/a/"}},
      {"/**/", {"/", "/a/", "/a/b/"}, {"/a"}},
      {"/caf%c3%a9", {"/caf%c3%a9", "/caf%C3%A9"}, {"/CAF%c3%a9", "/caf%c3%aa", "/cafe"}},
  };
  for (const matching& row : table) {
    const route_pattern one = pattern(row.pattern);
    for (const std::string_view path : row.yes)
      EXPECT_TRUE(one.matches(path)) << row.pattern << " " << path;
    for (const std::string_view path : row.no)
      EXPECT_FALSE(one.matches(path)) << row.pattern << " " << path;
  }
}

TEST(route_pattern, refuses_what_could_match_no_path) {
  for (const char* text : {"", "v1", "*", "/v1/a*", "/v1/*a", "/v1/***", "/a?b", "/a#b", "/a b", "/a//b", "/a/../b",
                           "/./a", "/a%2fb", "/a%41", "/a%", "/a\\b", "/caf\xc3\xa9", "/a\n"}) {
    EXPECT_FALSE(route_pattern::parse(text)) << text;
  }
  std::string deep;
  for (std::size_t i = 0; i < route_pattern_segments_max; ++i)
    deep += "/a";
  EXPECT_TRUE(route_pattern::parse(deep));
  EXPECT_FALSE(route_pattern::parse(deep + "/a"));
  EXPECT_TRUE(route_pattern::parse("/" + std::string(route_pattern_bytes_max - 1, 'a')));
  EXPECT_FALSE(route_pattern::parse("/" + std::string(route_pattern_bytes_max, 'a')));
}

TEST(route_pattern, takes_a_time_in_proportion_to_the_path) {
  const route_pattern one = pattern("/**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/b");
  std::string path;
  for (int i = 0; i < 4000; ++i)
    path += "/a";
  EXPECT_FALSE(one.matches(path));
}

bool covers(std::initializer_list<std::string_view> earlier, std::string_view later) {
  std::vector<route_pattern> all;
  for (const std::string_view text : earlier)
    all.push_back(pattern(text));
  std::vector<const route_pattern*> pointers;
  for (const route_pattern& one : all)
    pointers.push_back(&one);
  return pattern(later).covered_by(pointers);
}

TEST(route_pattern, is_covered_where_the_others_leave_nothing) {
  EXPECT_TRUE(covers({"/a"}, "/a"));
  EXPECT_TRUE(covers({"/*"}, "/a"));
  EXPECT_TRUE(covers({"/**"}, "/a/*/b/**"));
  EXPECT_TRUE(covers({"/a/**"}, "/a"));
  EXPECT_TRUE(covers({"/a/**"}, "/a/*/c"));
  EXPECT_TRUE(covers({"/**/c"}, "/a/*/c"));
  EXPECT_TRUE(covers({"/*/**"}, "/**/*"));
  EXPECT_TRUE(covers({"/a", "/a/", "/a/*/**"}, "/a/**"));
  EXPECT_TRUE(covers({"/", "/*/**"}, "/**"));
  EXPECT_TRUE(covers({"/caf%C3%A9"}, "/caf%c3%a9"));

  EXPECT_FALSE(covers({}, "/a"));
  EXPECT_FALSE(covers({"/a"}, "/*"));
  EXPECT_FALSE(covers({"/*"}, "/**"));
  EXPECT_FALSE(covers({"/*"}, "/"));
  EXPECT_FALSE(covers({"/a/*"}, "/a/**"));
  EXPECT_FALSE(covers({"/a", "/a/*/**"}, "/a/**"));
  EXPECT_FALSE(covers({"/a/**", "/b/**"}, "/*"));
  EXPECT_FALSE(covers({"/**/c"}, "/a/**"));
  EXPECT_FALSE(covers({"/**/*"}, "/*/**"));
}

// All plain paths of up to four segments over the segments that the patterns below name, and one that none names.
std::vector<std::string> all_paths() {
  std::vector<std::string> paths{""};
  for (std::size_t first = 0, depth = 0; depth < 4; ++depth) {
    const std::size_t end = paths.size();
    for (; first < end; ++first) {
      for (const char* one : {"/a", "/b", "/x"})
        paths.push_back(paths[first] + one);
    }
  }
  for (std::size_t i = 0, end = paths.size(); i < end; ++i)
    paths.push_back(paths[i] + "/");
  paths.erase(paths.begin());
  return paths;
}

TEST(route_pattern, agrees_with_trying_all_short_paths) {
  const std::vector<std::string> paths = all_paths();
  std::mt19937 random(7);  // NOLINT: the same patterns in every run
  const auto any_pattern = [&] {
    std::string text;
    const auto size = 1 + random() % 3;
    for (unsigned i = 0; i < size; ++i) {
      const char* const segments[] = {"/a", "/b", "/*", "/**"};
      text += segments[random() % 4];
    }
    return pattern(random() % 6 == 0 ? text + "/" : text);
  };
  int covered = 0;
  for (int round = 0; round < 3000; ++round) {
    const route_pattern later = any_pattern();
    const route_pattern earlier[] = {any_pattern(), any_pattern(), any_pattern()};
    const route_pattern* const pointers[] = {&earlier[0], &earlier[1], &earlier[2]};
    bool expected = true;
    for (const std::string& path : paths) {
      const bool taken = earlier[0].matches(path) || earlier[1].matches(path) || earlier[2].matches(path);
      if (later.matches(path) && !taken) expected = false;
    }
    covered += expected;
    EXPECT_EQ(later.covered_by(pointers), expected)
        << later.text() << " by " << earlier[0].text() << " " << earlier[1].text() << " " << earlier[2].text();
  }
  EXPECT_GT(covered, 300);
}

}  // namespace
}  // namespace onceward::gateway
