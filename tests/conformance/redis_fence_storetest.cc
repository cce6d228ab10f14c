// Fences rise although the clock of the server does not.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <variant>

#include "collecting_sink.h"
#include "redis_server.h"
#include "reply_text.h"
#include "sample_commands.h"
#include "settable_clock.h"

namespace onceward::conformance {
namespace {

using namespace std::chrono_literals;

class fences_of_redis : public testing::Test {
 protected:
  fences_of_redis() {
    set_redis_clock(clock_.now());
    empty_redis();
    store_ = open_redis({});
  }

  void advance(std::chrono::milliseconds by) {
    clock_.advance(by);
    set_redis_clock(clock_.now());
  }

  void expect_higher(std::uint64_t key, std::uint64_t attempt) {
    const reply answer = sink_.ask(*store_, claim_of(key, attempt));
    const auto* granted = std::get_if<claim_granted>(&answer);
    ASSERT_NE(granted, nullptr) << to_text(answer);
    EXPECT_GT(granted->token, last_);
    last_ = granted->token;
  }

  settable_clock clock_;
  collecting_sink sink_;
  std::unique_ptr<redis::redis_store> store_;
  fence last_{};
};

TEST_F(fences_of_redis, rise_at_one_moment_and_while_the_clock_is_behind) {
  for (std::uint64_t key = 1; key <= 50; ++key)
    expect_higher(key, key);
  advance(-24h);
  expect_higher(100, 100);
  sink_.ask(*store_, release_of(100, 100));
  expect_higher(100, 101);
  advance(48h);
  expect_higher(200, 200);
}

TEST_F(fences_of_redis, rise_for_a_gateway_that_saw_none_of_them) {
  expect_higher(1, 1);
  sink_.ask(*store_, release_of(1, 1));
  // The record has expired, and then the clock was set back.
  advance(retention);
  expect_higher(2, 2);
  wait_for_fence(last_);
  store_.reset();
  advance(-10 * retention);
  store_ = open_redis({});
  expect_higher(3, 3);
}

TEST_F(fences_of_redis, rise_for_a_gateway_that_runs_beside_another) {
  const auto other = open_redis({});
  expect_higher(1, 1);
  wait_for_fence(last_);
  advance(-24h);
  // It looks every second.
  const auto before = last_;
  for (std::uint64_t key = 10;; ++key) {
    const reply answer = sink_.ask(*other, claim_of(key, key));
    ASSERT_TRUE(std::holds_alternative<claim_granted>(answer));
    if (std::get<claim_granted>(answer).token > before) break;
    std::this_thread::yield();
    ASSERT_LT(key, 10'000'000u);
  }
}

}  // namespace
}  // namespace onceward::conformance
