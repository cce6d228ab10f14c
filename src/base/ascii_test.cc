#include "base/ascii.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>

namespace onceward::base {

namespace {

TEST(ascii, has_no_letters_beyond_0x7f) {
  for (int byte = 0x80; byte < 0x100; ++byte) {
    const char c = static_cast<char>(byte);
    EXPECT_FALSE(is_alpha(c) || is_digit(c) || is_visible(c)) << byte;
    EXPECT_EQ(to_lower(c), c);
    EXPECT_EQ(hex_digit_value(c), -1);
  }
}

TEST(ascii, classes_end_where_they_should) {
  EXPECT_TRUE(is_visible('!') && is_visible('~'));
  EXPECT_FALSE(is_visible(' ') || is_visible('\x7f'));
  EXPECT_TRUE(is_digit('0') && is_digit('9'));
  EXPECT_FALSE(is_digit('/') || is_digit(':'));
  EXPECT_FALSE(is_alpha('@') || is_alpha('[') || is_alpha('`') || is_alpha('{'));
  EXPECT_EQ(to_lower('Z'), 'z');
  EXPECT_EQ(to_lower('['), '[');
}

TEST(hex_digit_value, takes_both_cases) {
  EXPECT_EQ(hex_digit_value('0'), 0);
  EXPECT_EQ(hex_digit_value('9'), 9);
  EXPECT_EQ(hex_digit_value('a'), 10);
  EXPECT_EQ(hex_digit_value('F'), 15);
  EXPECT_EQ(hex_digit_value('g'), -1);
  EXPECT_EQ(hex_digit_value('G'), -1);
  EXPECT_EQ(hex_digit_value('@'), -1);
  EXPECT_EQ(hex_digit_value('`'), -1);
}

TEST(parse_decimal, takes_digits_alone) {
  EXPECT_EQ(parse_decimal("0"), 0U);
  EXPECT_EQ(parse_decimal("0042"), 42U);
  EXPECT_EQ(parse_decimal("9999999999999999999"), 9'999'999'999'999'999'999U);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "1x", "0x1", "1.0", "00000000000000000001"}) {
    EXPECT_EQ(parse_decimal(text), std::nullopt) << text;
  }
}

TEST(number_text, is_the_shortest) {
  EXPECT_EQ(decimal_text(0).view(), "0");
  EXPECT_EQ(decimal_text(100).view(), "100");
  EXPECT_EQ(decimal_text(UINT64_MAX).view(), "18446744073709551615");
  EXPECT_EQ(hexadecimal_text(0).view(), "0");
  EXPECT_EQ(hexadecimal_text(0x1a0).view(), "1a0");
  EXPECT_EQ(hexadecimal_text(UINT64_MAX).view(), "ffffffffffffffff");
}

}  // namespace

}  // namespace onceward::base
