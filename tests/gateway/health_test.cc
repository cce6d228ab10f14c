// Addresses that cannot be reached: left out for a while, never for good, and asked all the same where there is no
// other.
#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/gateway/running_gateway.h"
#include "tests/gateway/scripted_upstream.h"

namespace onceward::test {
namespace {

using std::chrono::milliseconds;

std::uint16_t dead_port() {
  scripted_upstream gone(scripted_upstream::answering(""));
  return gone.port();
}

struct health : testing::Test {
  health() : alive(scripted_upstream::answering(response(200, "", "fine"))) {}
  scripted_upstream alive;
};

TEST_F(health, an_address_is_left_out_after_so_many_failures_in_a_row) {
  auto chosen = settings_for({dead_port(), alive.port()});
  chosen.health = {.failures_to_eject = 3, .ejected_for = std::chrono::hours(1)};
  running_gateway tested(chosen);
  client one(tested.port());
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(one.exchange(get("/")).status(), 200);
  const auto* counts = tested.whole().numbers().workers.at(0);
  EXPECT_EQ(counts->upstream_connects_failed.read(), 3u);
  EXPECT_EQ(counts->upstream_ejections.read(), 1u);
}

TEST_F(health, an_address_that_was_left_out_is_asked_again_after_a_while) {
  auto chosen = settings_for({dead_port(), alive.port()});
  chosen.health = {.failures_to_eject = 1, .ejected_for = milliseconds(20)};
  running_gateway tested(chosen);
  client one(tested.port());
  const auto* counts = tested.whole().numbers().workers.at(0);
  while (counts->upstream_connects_failed.read() < 2)
    ASSERT_EQ(one.exchange(get("/")).status(), 200);
}

TEST_F(health, where_all_are_left_out_they_are_asked_all_the_same) {
  const std::uint16_t port = dead_port();
  auto chosen = settings_for({port});
  chosen.health = {.failures_to_eject = 1, .ejected_for = std::chrono::hours(1)};
  running_gateway tested(chosen);
  client one(tested.port());
  EXPECT_EQ(one.exchange(get("/")).status(), 502);
  const scripted_upstream back(scripted_upstream::answering(response(200, "", "back")), port);
  EXPECT_EQ(one.exchange(get("/")).body, "back");
}

}  // namespace
}  // namespace onceward::test
