#include "stores/server/outage.h"

#include <gtest/gtest.h>

namespace onceward::server {
namespace {

TEST(outage, tells_each_reason_once_however_they_alternate) {
  outage seen;
  EXPECT_TRUE(seen.is_news("refused"));
  EXPECT_TRUE(seen.is_news("read-only"));
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(seen.is_news("refused"));
    EXPECT_FALSE(seen.is_news("read-only"));
  }
  EXPECT_TRUE(seen.is_news("no standby"));
}

TEST(outage, ends_once_and_the_next_one_is_told_anew) {
  outage seen;
  EXPECT_FALSE(seen.end());
  EXPECT_TRUE(seen.is_news("refused"));
  EXPECT_TRUE(seen.end());
  EXPECT_FALSE(seen.end());
  EXPECT_TRUE(seen.is_news("refused"));
}

TEST(outage, remembers_a_bounded_number_of_reasons) {
  outage seen;
  for (std::size_t i = 0; i < outage::reasons_max; ++i)
    EXPECT_TRUE(seen.is_news(std::to_string(i)));
  EXPECT_FALSE(seen.is_news("0"));
  EXPECT_TRUE(seen.is_news("one more"));
  EXPECT_TRUE(seen.is_news("0"));
}

}  // namespace
}  // namespace onceward::server
