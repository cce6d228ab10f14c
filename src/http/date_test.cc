#include "http/date.h"

#include <gtest/gtest.h>

#include <string_view>

namespace onceward::http {

namespace {

using namespace std::chrono;

std::string text_of(sys_seconds time) {
  const auto text = http_date(time);
  return {text.begin(), text.end()};
}

TEST(http_date, is_the_example_of_rfc_9110) {
  EXPECT_EQ(text_of(sys_days{year{1994} / November / 6} + 8h + 49min + 37s), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(http_date, knows_every_day_of_the_week_and_every_month) {
  constexpr std::string_view names[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
  for (int i = 0; i < 7; ++i)
    EXPECT_EQ(text_of(sys_days{days{i}}).substr(0, 3), names[i]);
  constexpr std::string_view months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (unsigned i = 0; i < 12; ++i) {
    EXPECT_EQ(text_of(sys_days{year{2024} / month{i + 1} / 29}).substr(8, 3), months[i]);
  }
}

TEST(http_date, is_right_at_the_ends_of_days_and_years) {
  EXPECT_EQ(text_of(sys_seconds{0s}), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(text_of(sys_seconds{-1s}), "Wed, 31 Dec 1969 23:59:59 GMT");
  EXPECT_EQ(text_of(sys_days{year{2024} / February / 29} + 23h + 59min + 59s), "Thu, 29 Feb 2024 23:59:59 GMT");
}

TEST(http_date, stays_within_years_of_four_digits) {
  EXPECT_EQ(text_of(sys_seconds::max()), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(text_of(sys_seconds::min()), "Sat, 01 Jan 0000 00:00:00 GMT");
}

}  // namespace

}  // namespace onceward::http
