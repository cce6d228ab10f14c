#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace onceward::base {
namespace {

TEST(utf8, takes_every_code_point_and_no_surrogate) {
  for (std::uint32_t code_point = 0; code_point <= 0x10ffff; ++code_point) {
    char bytes[4];
    const std::size_t length = put_utf8(bytes, code_point);
    const bool is_surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
    ASSERT_EQ(utf8_length({bytes, length}), is_surrogate ? 0 : length) << code_point;
    ASSERT_EQ(utf8_length({bytes, length - 1}), 0u) << code_point;
  }
}

TEST(utf8, knows_the_bytes_of_each_length) {
  char bytes[4];
  EXPECT_EQ(std::string(bytes, put_utf8(bytes, 'a')), "a");
  EXPECT_EQ(std::string(bytes, put_utf8(bytes, 0xe9)), "\xc3\xa9");
  EXPECT_EQ(std::string(bytes, put_utf8(bytes, 0x20ac)), "\xe2\x82\xac");
  EXPECT_EQ(std::string(bytes, put_utf8(bytes, 0x1f600)), "\xf0\x9f\x98\x80");
}

TEST(utf8, refuses_what_is_no_code_point) {
  for (const std::string text : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3(", "\xe0\x80\x80", "\xe2\x82(",
                                 "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_FALSE(is_utf8(text)) << testing::PrintToString(text);
    EXPECT_FALSE(is_utf8("a" + text)) << testing::PrintToString(text);
  }
  EXPECT_TRUE(is_utf8("a\xc3\xa9\xf0\x9f\x98\x80z"));
  EXPECT_TRUE(is_utf8(""));
}

}  // namespace
}  // namespace onceward::base
