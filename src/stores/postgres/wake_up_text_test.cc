#include "stores/postgres/wake_up_text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace onceward::postgres {
namespace {

// What one notification may carry.
constexpr std::size_t notification_bytes_max = 7'999;

std::vector<record_key> keys(std::size_t count) {
  std::vector<record_key> made(count);
  for (std::size_t i = 0; i < count; ++i)
    made[i].bytes[31] = static_cast<std::byte>(i);
  return made;
}

TEST(wake_up_text, brings_its_keys_back) {
  for (const std::size_t count : {std::size_t{1}, std::size_t{2}, keys_per_wake_up_max}) {
    const auto told = keys(count);
    const std::string text = wake_up_text(told);
    EXPECT_LE(text.size(), notification_bytes_max);
    EXPECT_EQ(keys_in(text), told);
  }
}

TEST(wake_up_text, of_everything_or_of_anything_else_has_no_keys) {
  EXPECT_TRUE(keys_in(everything).empty());
  EXPECT_TRUE(keys_in("").empty());
  EXPECT_TRUE(keys_in(std::string(64, 'x')).empty());
  EXPECT_TRUE(keys_in(wake_up_text(keys(2)).substr(1)).empty());
  EXPECT_TRUE(keys_in(std::string(64 * (keys_per_wake_up_max + 1), '0')).empty());
}

}  // namespace
}  // namespace onceward::postgres
