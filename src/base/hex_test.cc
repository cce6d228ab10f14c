#include "base/hex.h"

#include <gtest/gtest.h>

#include <array>

namespace onceward::base {
namespace {

TEST(hex, comes_back_as_it_went) {
  std::array<std::byte, 256> all;
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i] = static_cast<std::byte>(i);
  const std::string digits = to_hex(all);
  EXPECT_EQ(digits.substr(0, 8), "00010203");
  EXPECT_EQ(digits.substr(508), "feff");
  std::array<std::byte, 256> back{};
  EXPECT_TRUE(from_hex(digits, back));
  EXPECT_EQ(back, all);
}

TEST(hex, is_read_in_either_case) {
  std::array<std::byte, 1> out{};
  EXPECT_TRUE(from_hex("aF", out));
  EXPECT_EQ(out[0], std::byte{0xaf});
}

TEST(hex, is_refused_in_any_other_length_or_alphabet) {
  std::array<std::byte, 2> out{};
  for (const char* wrong : {"", "abc", "abcde", "abc ", "0xab", "abcg", "+abc"})
    EXPECT_FALSE(from_hex(wrong, out)) << wrong;
}

}  // namespace
}  // namespace onceward::base
