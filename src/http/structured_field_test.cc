// RFC 9651 section 4.2, algorithm by algorithm.

#include "http/structured_field.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace onceward::http {

using namespace std::string_view_literals;

namespace {

sf_item parsed(std::string_view value) {
  const auto outcome = parse_sf_item(value);
  if (const auto* error = std::get_if<sf_error>(&outcome)) {
    ADD_FAILURE() << value << " at " << error->offset << ": expected " << error->reason;
    return {};
  }
  return std::get<sf_item>(outcome);
}

// Where and why, as in `3: a digit`; empty if the value is an Item.
std::string refusal(std::string_view value) {
  const auto outcome = parse_sf_item(value);
  const auto* error = std::get_if<sf_error>(&outcome);
  return error != nullptr ? std::to_string(error->offset) + ": " + std::string(error->reason) : "";
}

sf_bare_item bare(std::string_view value) {
  const sf_item item = parsed(value);
  EXPECT_TRUE(item.parameters.empty()) << value;
  return item.value;
}

sf_bare_item string(std::string_view text) {
  return std::string(text);
}
sf_bare_item integer(std::int64_t value) {
  return value;
}
sf_bare_item decimal(std::int64_t thousandths) {
  return sf_decimal{thousandths};
}

TEST(sf_string, is_what_stands_between_two_quotes) {
  EXPECT_EQ(bare(R"("")"), string(""));
  EXPECT_EQ(bare(R"("8e03978e-40d5-43e8-bc93-6894a57f9324")"), string("8e03978e-40d5-43e8-bc93-6894a57f9324"));
  EXPECT_EQ(bare(R"("a b, c; d")"), string("a b, c; d"));
  EXPECT_EQ(bare(R"("\"\\")"), string(R"("\)"));
  EXPECT_EQ(bare(R"(  " a "  )"), string(" a "));
}

TEST(sf_string, is_refused_with_the_place_of_the_fault) {
  EXPECT_EQ(refusal(R"(")"), "1: a double quote that ends the string");
  EXPECT_EQ(refusal(R"("abc)"), "4: a double quote that ends the string");
  EXPECT_EQ(refusal(R"("abc\")"), "6: a double quote that ends the string");
  EXPECT_EQ(refusal(R"("\a")"), "2: a double quote or a backslash");
  EXPECT_EQ(refusal(R"("a\)"), "3: a double quote or a backslash");
  EXPECT_EQ(refusal("\"a\tb\""), "2: a visible character or a space");
  EXPECT_EQ(refusal("\"a\x7f\""), "2: a visible character or a space");
  EXPECT_EQ(refusal("\"a\0\""sv), "2: a visible character or a space");
  EXPECT_EQ(refusal("\"\xc3\xa4\""), "1: ASCII");
  EXPECT_EQ(refusal(R"("a"b)"), "3: the end of the value");
  EXPECT_EQ(refusal(R"("a", "b")"), "3: the end of the value");
  EXPECT_EQ(refusal(R"("a" "b")"), "4: the end of the value");
  EXPECT_EQ(refusal("\"a\"\t"), "3: the end of the value");
}

TEST(sf_item, is_not_empty_and_not_a_list) {
  EXPECT_EQ(refusal(""), "0: an item");
  EXPECT_EQ(refusal("   "), "3: an item");
  EXPECT_EQ(refusal("(\"a\" \"b\")"), "0: an item");
  EXPECT_EQ(refusal("'a'"), "0: an item");
  EXPECT_EQ(refusal("\t\"a\""), "0: an item");
  EXPECT_EQ(refusal("a, b"), "1: the end of the value");
}

TEST(sf_integer, has_at_most_fifteen_digits) {
  EXPECT_EQ(bare("0"), integer(0));
  EXPECT_EQ(bare("-0"), integer(0));
  EXPECT_EQ(bare("042"), integer(42));
  EXPECT_EQ(bare("999999999999999"), integer(999'999'999'999'999));
  EXPECT_EQ(bare("-999999999999999"), integer(-999'999'999'999'999));
  EXPECT_EQ(refusal("1000000000000000"), "15: at most 15 digits");
  EXPECT_EQ(refusal("-"), "1: a digit");
  EXPECT_EQ(refusal("--1"), "1: a digit");
  EXPECT_EQ(refusal("+1"), "0: an item");
  EXPECT_EQ(refusal("1e1"), "1: the end of the value");
}

TEST(sf_decimal, has_at_most_twelve_digits_before_the_point_and_three_behind) {
  EXPECT_EQ(bare("1.5"), decimal(1500));
  EXPECT_EQ(bare("-0.001"), decimal(-1));
  EXPECT_EQ(bare("00.12"), decimal(120));
  EXPECT_EQ(bare("999999999999.999"), decimal(999'999'999'999'999));
  EXPECT_EQ(refusal("1."), "2: a digit");
  EXPECT_EQ(refusal(".5"), "0: an item");
  EXPECT_EQ(refusal("1.1234"), "5: at most 3 digits behind the point");
  EXPECT_EQ(refusal("1234567890123.1"), "13: at most 12 digits before the point");
  EXPECT_EQ(refusal("1.2.3"), "3: the end of the value");
}

TEST(sf_token, begins_with_a_letter_or_an_asterisk) {
  EXPECT_EQ(bare("a"), sf_bare_item(sf_token{"a"}));
  EXPECT_EQ(bare("*"), sf_bare_item(sf_token{"*"}));
  EXPECT_EQ(bare("Foo123:/!#$%&'*+-.^_`|~"), sf_bare_item(sf_token{"Foo123:/!#$%&'*+-.^_`|~"}));
  EXPECT_EQ(refusal("a\"b"), "1: the end of the value");
  EXPECT_EQ(refusal("_a"), "0: an item");
}

TEST(sf_bytes, are_base64_between_colons) {
  EXPECT_EQ(bare("::"), sf_bare_item(sf_bytes{""}));
  EXPECT_EQ(bare(":aGVsbG8=:"), sf_bare_item(sf_bytes{"hello"}));
  EXPECT_EQ(bare(":aGVsbG8:"), sf_bare_item(sf_bytes{"hello"}));
  EXPECT_EQ(bare(":aGVsbG9=:"), sf_bare_item(sf_bytes{"hello"}));
  EXPECT_EQ(bare(":AP/+:"), sf_bare_item(sf_bytes{std::string("\0\xff\xfe", 3)}));
  EXPECT_EQ(bare(":YQ==:"), sf_bare_item(sf_bytes{"a"}));
  EXPECT_EQ(refusal(":YQ=:"), "4: complete base64");
  EXPECT_EQ(refusal(":Y:"), "2: complete base64");
  EXPECT_EQ(refusal(":====:"), "5: complete base64");
  EXPECT_EQ(refusal(":YQ==YQ==:"), "5: base64");
  EXPECT_EQ(refusal(":YQ-_:"), "3: base64");
  EXPECT_EQ(refusal(":YQ Q:"), "3: base64");
  EXPECT_EQ(refusal(":YWJj"), "5: a colon that ends the bytes");
}

TEST(sf_boolean, is_a_question_mark_with_0_or_1) {
  EXPECT_EQ(bare("?1"), sf_bare_item(true));
  EXPECT_EQ(bare("?0"), sf_bare_item(false));
  EXPECT_EQ(refusal("?"), "1: 0 or 1");
  EXPECT_EQ(refusal("?2"), "1: 0 or 1");
  EXPECT_EQ(refusal("?10"), "2: the end of the value");
}

TEST(sf_date, is_an_at_sign_with_an_integer) {
  EXPECT_EQ(bare("@1659578233"), sf_bare_item(sf_date{1'659'578'233}));
  EXPECT_EQ(bare("@-1"), sf_bare_item(sf_date{-1}));
  EXPECT_EQ(refusal("@1.5"), "1: an integer");
  EXPECT_EQ(refusal("@"), "1: a number");
  EXPECT_EQ(refusal("@a"), "1: a number");
}

TEST(sf_display_string, is_percent_encoded_utf8) {
  EXPECT_EQ(bare(R"(%"a b%c3%bc%25")"), sf_bare_item(sf_display_string{"a b\xc3\xbc%"}));
  EXPECT_EQ(bare(R"(%"\")"), sf_bare_item(sf_display_string{"\\"}));
  EXPECT_EQ(refusal(R"(%"%C3%bc")"), "3: two lower-case hexadecimal digits");
  EXPECT_EQ(refusal(R"(%"%c")"), "4: two lower-case hexadecimal digits");
  EXPECT_EQ(refusal(R"(%"%)"), "3: two lower-case hexadecimal digits");
  EXPECT_EQ(refusal(R"(%"%ff")"), "5: UTF-8");
  EXPECT_EQ(refusal(R"(%"%c3")"), "5: UTF-8");
  EXPECT_EQ(refusal(R"(%"%ed%a0%80")"), "11: UTF-8");
  EXPECT_EQ(refusal(R"(%"abc)"), "5: a double quote that ends the string");
  EXPECT_EQ(refusal("%\"a\tb\""), "3: a visible character or a space");
  EXPECT_EQ(refusal("%a"), "1: a double quote");
}

TEST(sf_parameters, follow_the_item_in_their_order) {
  const sf_item item = parsed(R"("k";v=1;  *b;c="x";d=?0;e=tok;f=1.5)");
  EXPECT_EQ(item.value, string("k"));
  const std::vector<sf_parameter> expected = {
      {"v", integer(1)},          {"*b", sf_bare_item(true)},           {"c", string("x")},
      {"d", sf_bare_item(false)}, {"e", sf_bare_item(sf_token{"tok"})}, {"f", decimal(1500)},
  };
  EXPECT_EQ(item.parameters, expected);
}

TEST(sf_parameters, given_twice_count_with_their_last_value) {
  const sf_item item = parsed("1;a=1;b;a=2");
  const std::vector<sf_parameter> expected = {{"a", integer(2)}, {"b", sf_bare_item(true)}};
  EXPECT_EQ(item.parameters, expected);
}

TEST(sf_parameters, are_refused_where_they_are_not_well_formed) {
  EXPECT_EQ(refusal("\"k\";"), "4: a parameter's name");
  EXPECT_EQ(refusal("\"k\";A=1"), "4: a parameter's name");
  EXPECT_EQ(refusal("\"k\";1=1"), "4: a parameter's name");
  EXPECT_EQ(refusal("\"k\";a="), "6: an item");
  EXPECT_EQ(refusal("\"k\";a =1"), "6: the end of the value");
  EXPECT_EQ(refusal("\"k\" ;a=1"), "4: the end of the value");
  EXPECT_EQ(refusal("\"k\";\ta"), "4: a parameter's name");
  EXPECT_EQ(refusal("\"k\";a=(1)"), "6: an item");
}

TEST(sf_parameters, are_limited_in_number) {
  std::string value = "1";
  for (int i = 0; i < 256; ++i)
    value += ";a" + std::to_string(i);
  EXPECT_EQ(parsed(value).parameters.size(), 256U);
  EXPECT_EQ(parsed(value + ";a0").parameters.size(), 256U);
  EXPECT_EQ(refusal(value + ";b"), std::to_string(value.size() + 2) + ": at most 256 parameters");
}

}  // namespace

}  // namespace onceward::http
