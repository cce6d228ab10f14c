#include "base/random.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace onceward::base {
namespace {

TEST(random_source, never_repeats_itself_across_blocks) {
  random_source source;
  random_source other;
  std::set<std::array<std::byte, 16>> seen;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(seen.insert(source.take<16>()).second);
    EXPECT_TRUE(seen.insert(other.take<16>()).second);
  }
}

TEST(random_source, fills_every_byte_of_any_length) {
  random_source source;
  for (std::size_t length = 0; length < 3000; length += 37) {
    // A byte that stays zero sixteen times over was not filled.
    std::vector<std::byte> ever_set(length);
    for (int round = 0; round < 16; ++round) {
      std::vector<std::byte> out(length);
      source.fill(out);
      for (std::size_t i = 0; i < length; ++i)
        ever_set[i] |= out[i];
    }
    for (std::size_t i = 0; i < length; ++i)
      EXPECT_NE(ever_set[i], std::byte{0}) << length << ' ' << i;
  }
}

}  // namespace
}  // namespace onceward::base
