#include "base/checksum.h"

#include <gtest/gtest.h>

#include <string>

namespace onceward::base {
namespace {

// These are on disks: a change of any of them is a change of format.
TEST(checksum, never_changes) {
  EXPECT_EQ(checksum(""), 0x2d06800538d394c2u);
  EXPECT_EQ(checksum("onceward"), 0xa2e19a84c7c3353fu);
  EXPECT_EQ(checksum("onceward", 1), 0x851d7a931cc29125u);
  EXPECT_EQ(checksum(std::string(1000, 'x')), 0xc0a4877b962cba82u);
}

TEST(checksum, finds_every_flipped_bit) {
  const std::string intact(300, 'x');
  const std::uint64_t expected = checksum(intact);
  for (std::size_t bit = 0; bit < intact.size() * 8; ++bit) {
    std::string damaged = intact;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(checksum(damaged), expected) << bit;
  }
}

}  // namespace
}  // namespace onceward::base
