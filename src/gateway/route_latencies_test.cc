#include "gateway/route_latencies.h"

#include <gtest/gtest.h>

namespace onceward::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(route_latencies, advise_a_second_at_least) {
  route_latencies latencies(1);
  EXPECT_EQ(latencies.retry_after(0), seconds(1));
  latencies.note(0, milliseconds(3));
  EXPECT_EQ(latencies.retry_after(0), seconds(1));
}

TEST(route_latencies, are_those_of_each_route_in_whole_seconds) {
  route_latencies latencies(2);
  latencies.note(0, milliseconds(2'001));
  EXPECT_EQ(latencies.retry_after(0), seconds(3));
  EXPECT_EQ(latencies.retry_after(1), seconds(1));
}

TEST(route_latencies, forget_what_was_long_ago) {
  route_latencies latencies(1);
  latencies.note(0, seconds(60));
  for (int i = 0; i < 100; ++i)
    latencies.note(0, milliseconds(100));
  EXPECT_EQ(latencies.retry_after(0), seconds(1));
}

}  // namespace
}  // namespace onceward::gateway
