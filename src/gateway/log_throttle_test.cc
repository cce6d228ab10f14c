#include "gateway/log_throttle.h"

#include <gtest/gtest.h>

namespace onceward::gateway {
namespace {

using namespace std::chrono_literals;

TEST(log_throttle, admits_a_bounded_number_of_lines_in_a_window) {
  log_throttle throttle;
  const base::moment start{1h};
  for (std::uint32_t i = 0; i < log_throttle::lines_per_window_max; ++i)
    EXPECT_EQ(throttle.admit("full", start), 0U);
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(throttle.admit("full", start + 9s), std::nullopt);
}

TEST(log_throttle, tells_how_many_were_left_out) {
  log_throttle throttle;
  const base::moment start{1h};
  for (std::uint32_t i = 0; i < log_throttle::lines_per_window_max + 7; ++i)
    throttle.admit("full", start);
  EXPECT_EQ(throttle.admit("full", start + log_throttle::window), 7U);
  EXPECT_EQ(throttle.admit("full", start + log_throttle::window), 0U);
}

TEST(log_throttle, counts_each_event_by_itself) {
  log_throttle throttle;
  const base::moment start{1h};
  for (std::uint32_t i = 0; i < log_throttle::lines_per_window_max + 1; ++i)
    throttle.admit("full", start);
  EXPECT_EQ(throttle.admit("other", start), 0U);
}

TEST(log_throttle, stays_small_whatever_events_there_are) {
  log_throttle throttle;
  const base::moment start{1h};
  std::size_t admitted = 0;
  for (int i = 0; i < 10'000; ++i)
    admitted += throttle.admit("event " + std::to_string(i), start).has_value();
  EXPECT_EQ(admitted, log_throttle::events_max + log_throttle::lines_per_window_max);
}

}  // namespace
}  // namespace onceward::gateway
