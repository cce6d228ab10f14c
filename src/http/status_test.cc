#include "http/status.h"

#include <gtest/gtest.h>

namespace onceward::http {

namespace {

TEST(reason_of, knows_registered_statuses_only) {
  EXPECT_EQ(reason_of(100), "Continue");
  EXPECT_EQ(reason_of(200), "OK");
  EXPECT_EQ(reason_of(422), "Unprocessable Content");
  EXPECT_EQ(reason_of(511), "Network Authentication Required");
  EXPECT_EQ(reason_of(299), "");
  EXPECT_EQ(reason_of(99), "");
  EXPECT_EQ(reason_of(599), "");
}

TEST(forbids_body, holds_for_1xx_and_204) {
  EXPECT_TRUE(forbids_body(100));
  EXPECT_TRUE(forbids_body(199));
  EXPECT_TRUE(forbids_body(204));
  EXPECT_FALSE(forbids_body(200));
  EXPECT_FALSE(forbids_body(304));
}

}  // namespace

}  // namespace onceward::http
