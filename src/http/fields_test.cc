#include "http/fields.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/ascii.h"

namespace onceward::http {

namespace {

constexpr auto last_id = field_id::x_request_id;

TEST(field_id, is_found_by_its_name_in_any_case) {
  for (unsigned i = 1; i <= static_cast<unsigned>(last_id); ++i) {
    const auto id = static_cast<field_id>(i);
    const std::string name(name_of(id));
    ASSERT_FALSE(name.empty());
    std::string lower = name;
    std::string upper = name;
    for (char& c : lower)
      c = base::to_lower(c);
    for (char& c : upper)
      c = base::is_lower(c) ? static_cast<char>(c - 0x20) : c;
    EXPECT_EQ(identify(name), id) << name;
    EXPECT_EQ(identify(lower), id) << lower;
    EXPECT_EQ(identify(upper), id) << upper;
  }
}

TEST(field_id, is_other_for_everything_else) {
  EXPECT_EQ(identify(""), field_id::other);
  EXPECT_EQ(identify("User-Agent"), field_id::other);
  EXPECT_EQ(identify("Content_Length"), field_id::other);
  EXPECT_EQ(name_of(field_id::other), "");
}

// Every name that differs from a known one in a single byte: no two bytes but a letter's cases are the same.
TEST(field_id, is_not_given_to_a_name_that_merely_resembles_a_known_one) {
  for (unsigned i = 1; i <= static_cast<unsigned>(last_id); ++i) {
    const auto id = static_cast<field_id>(i);
    std::string name(name_of(id));
    for (char& c : name) {
      const char original = c;
      for (int byte = 0; byte < 256; ++byte) {
        c = static_cast<char>(byte);
        const bool same = base::to_lower(c) == base::to_lower(original);
        EXPECT_EQ(identify(name) == id, same) << name;
      }
      c = original;
    }
  }
}

TEST(names_equal, knows_no_case_but_that_of_ascii_letters) {
  EXPECT_TRUE(names_equal("Content-Length", "cONTENT-lENGTH"));
  EXPECT_TRUE(names_equal("", ""));
  EXPECT_FALSE(names_equal("a", ""));
  EXPECT_FALSE(names_equal("a", "ab"));
  EXPECT_FALSE(names_equal("[", "{"));
  EXPECT_FALSE(names_equal("@", "`"));
  EXPECT_FALSE(names_equal("\xe4", "\xc4"));
}

TEST(find, gives_the_value_of_the_only_line) {
  const std::vector<field_view> fields = {make_field("Host", "a"), make_field("X", "1"), make_field("x", "2"),
                                          make_field("Y", "")};
  EXPECT_EQ(find(fields, field_id::host), "a");
  EXPECT_EQ(find(fields, "hOST"), "a");
  EXPECT_EQ(find(fields, "Y"), "");
  EXPECT_EQ(find(fields, "X"), std::nullopt);
  EXPECT_EQ(find(fields, "Z"), std::nullopt);
  EXPECT_EQ(find(fields, field_id::date), std::nullopt);
  EXPECT_EQ(first_value(fields, field_id::host), "a");
  EXPECT_EQ(count(fields, "X"), 2U);
  EXPECT_EQ(count(fields, field_id::host), 1U);
}

TEST(find_death, first_value_is_asked_for_what_is_there) {
  const std::vector<field_view> fields = {make_field("Host", "a")};
  EXPECT_DEATH(first_value(fields, field_id::date), "assertion failed");
}

std::vector<std::string> tokens_of(std::string_view list) {
  std::vector<std::string> tokens;
  for_each_token(list, [&tokens](std::string_view token) {
    tokens.emplace_back(token);
    return true;
  });
  return tokens;
}

TEST(for_each_token, trims_elements_and_skips_empty_ones) {
  using list = std::vector<std::string>;
  EXPECT_EQ(tokens_of(""), list{});
  EXPECT_EQ(tokens_of(" ,\t, "), list{});
  EXPECT_EQ(tokens_of("a"), list{"a"});
  EXPECT_EQ(tokens_of(",a , b\t,,c d,"), (list{"a", "b", "c d"}));
  EXPECT_EQ(tokens_of("a\xa0,\x85"), (list{"a\xa0", "\x85"}));
}

TEST(for_each_token, stops_when_it_is_told_to) {
  int seen = 0;
  EXPECT_FALSE(for_each_token("a,b,c", [&seen](std::string_view) { return ++seen < 2; }));
  EXPECT_EQ(seen, 2);
}

TEST(has_token, looks_at_every_line_of_the_name) {
  const std::vector<field_view> fields = {make_field("Connection", "close"), make_field("connection", "x, KEEP-alive"),
                                          make_field("TE", "trailers")};
  EXPECT_TRUE(has_token(fields, field_id::connection, "keep-alive"));
  EXPECT_TRUE(has_token(fields, field_id::connection, "CLOSE"));
  EXPECT_FALSE(has_token(fields, field_id::connection, "trailers"));
  EXPECT_FALSE(has_token(fields, field_id::connection, "keep"));
}

TEST(field_name_set, includes_names_in_any_case_whether_they_are_known_or_not) {
  field_name_set names = {"Date", "X-Mine"};
  EXPECT_TRUE(names.includes(make_field("dATE", "1")));
  EXPECT_TRUE(names.includes(make_field("x-mine", "1")));
  EXPECT_FALSE(names.includes(make_field("X-Mine-Too", "1")));
  EXPECT_FALSE(names.includes(make_field("Host", "1")));
  names.add(field_id::host);
  names.add(make_field("x-mine-too", "1"));
  names.add(make_field("age", "1"));
  EXPECT_TRUE(names.includes(make_field("X-Mine-Too", "1")));
  EXPECT_TRUE(names.includes(make_field("Host", "1")));
  EXPECT_TRUE(names.includes(make_field("Age", "1")));
  EXPECT_FALSE(field_name_set().includes(make_field("Host", "1")));
}

TEST(field_id_set, knows_what_is_there_once_and_what_more_often) {
  field_id_set ids;
  EXPECT_FALSE(ids.has(field_id::other));
  ids.add(field_id::other);
  ids.add(last_id);
  EXPECT_TRUE(ids.has(field_id::other));
  EXPECT_TRUE(ids.has(last_id));
  EXPECT_FALSE(ids.repeats(last_id));
  ids.add(last_id);
  EXPECT_TRUE(ids.repeats(last_id));
  EXPECT_FALSE(ids.repeats(field_id::other));
  EXPECT_FALSE(ids.has(field_id::host));
}

}  // namespace

}  // namespace onceward::http
