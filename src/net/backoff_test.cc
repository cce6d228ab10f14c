#include "net/backoff.h"

#include <gtest/gtest.h>

namespace onceward::net {
namespace {

TEST(backoff, doubles_up_to_its_bound_and_keeps_half_of_the_pause) {
  backoff pause;
  EXPECT_EQ(pause.next(0), backoff::first / 2);
  for (int i = 0; i < 20; ++i)
    pause.next(0);
  EXPECT_EQ(pause.next(0), backoff::longest / 2);
  EXPECT_LE(pause.next(0xffffffff), backoff::longest);
  pause.reset();
  EXPECT_LE(pause.next(0xffffffff), backoff::first);
}

}  // namespace
}  // namespace onceward::net
