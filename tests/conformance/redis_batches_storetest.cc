// What goes out to Redis in one script is decided for each command as if it had gone alone.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "collecting_sink.h"
#include "redis_server.h"
#include "reply_text.h"
#include "sample_commands.h"
#include "settable_clock.h"

namespace onceward::conformance {
namespace {

constexpr std::uint64_t many = 300;

class redis_batches : public testing::Test {
 protected:
  redis_batches() {
    set_redis_clock(clock_.now());
    empty_redis();
    store_ = open_redis({});
  }

  std::vector<reply> ask_all(const std::vector<command>& what) { return sink_.ask_all(*store_, what); }

  settable_clock clock_;
  collecting_sink sink_;
  std::unique_ptr<redis::redis_store> store_;
};

TEST_F(redis_batches, grant_every_new_key_and_give_a_repeated_claim_the_grant_that_it_had) {
  const auto first = ask_all(claims_of(0, many));
  const auto second = ask_all(claims_of(0, many));
  std::set<fence> fences;
  for (std::uint64_t key = 0; key < many; ++key) {
    ASSERT_TRUE(std::holds_alternative<claim_granted>(first[key])) << to_text(first[key]);
    ASSERT_TRUE(std::holds_alternative<claim_granted>(second[key])) << to_text(second[key]);
    const auto& granted = std::get<claim_granted>(first[key]);
    EXPECT_EQ(granted.attempt_number, 1u);
    EXPECT_EQ(granted.lease_left, lease);
    EXPECT_EQ(granted.token, std::get<claim_granted>(second[key]).token);
    fences.insert(granted.token);
  }
  EXPECT_GT(fences.size(), 1u);
}

TEST_F(redis_batches, grant_a_key_that_many_claim_once) {
  std::vector<command> what;
  for (std::uint64_t attempt = 1; attempt <= 40; ++attempt) {
    for (std::uint64_t key = 0; key < 10; ++key)
      what.emplace_back(claim_of(key, 1'000 * attempt + key));
  }
  const auto replies = ask_all(what);
  EXPECT_EQ(count<claim_granted>(replies), 10u);
  EXPECT_EQ(count<record_in_flight>(replies), what.size() - 10);
}

TEST_F(redis_batches, complete_what_runs_and_fence_what_does_not) {
  ask_all(claims_of(0, many));
  std::vector<command> what;
  for (std::uint64_t key = 0; key < many; ++key)
    what.emplace_back(completed_of(key, key % 3 == 0 ? 77'777 : key, std::string(key * 30, 'r')));
  const auto replies = ask_all(what);
  for (std::uint64_t key = 0; key < many; ++key) {
    EXPECT_EQ(std::holds_alternative<fenced>(replies[key]), key % 3 == 0) << to_text(replies[key]);
    EXPECT_EQ(std::holds_alternative<applied>(replies[key]), key % 3 != 0) << to_text(replies[key]);
  }
  const auto duplicates = ask_all(claims_of(0, many, 50'000));
  for (std::uint64_t key = 0; key < many; ++key) {
    const auto* replayed = std::get_if<record_completed>(&duplicates[key]);
    ASSERT_EQ(replayed == nullptr, key % 3 == 0) << to_text(duplicates[key]);
    if (replayed != nullptr) {
      EXPECT_EQ(*replayed->response, std::string(key * 30, 'r'));
    }
  }
}

TEST_F(redis_batches, keep_the_first_result_of_an_attempt_and_take_its_repetition) {
  ask_all(claims_of(0, 40));
  std::vector<command> first, second;
  for (std::uint64_t key = 0; key < 40; ++key) {
    first.emplace_back(completed_of(key, key, "first"));
    second.emplace_back(completed_of(key, key, key % 2 == 0 ? "first" : "second"));
  }
  EXPECT_EQ(count<applied>(ask_all(first)), 40u);
  const auto replies = ask_all(second);
  for (std::uint64_t key = 0; key < 40; ++key) {
    EXPECT_EQ(std::holds_alternative<applied>(replies[key]), key % 2 == 0) << to_text(replies[key]);
    const auto* stands = std::get_if<record_completed>(&replies[key]);
    EXPECT_EQ(stands != nullptr, key % 2 != 0) << to_text(replies[key]);
    if (stands != nullptr) {
      EXPECT_EQ(*stands->response, "first");
    }
  }
}

TEST_F(redis_batches, claim_what_was_released_and_keep_the_order_of_one_key) {
  std::vector<command> what;
  for (std::uint64_t key = 0; key < 60; ++key) {
    what.emplace_back(claim_of(key, key));
    what.emplace_back(release_of(key, key));
  }
  ask_all(what);
  const auto replies = ask_all(claims_of(0, 120, 1'000));
  for (std::uint64_t key = 0; key < 120; ++key) {
    const auto* granted = std::get_if<claim_granted>(&replies[key]);
    ASSERT_NE(granted, nullptr) << to_text(replies[key]);
    EXPECT_EQ(granted->attempt_number, key < 60 ? 2u : 1u);
  }
}

TEST_F(redis_batches, give_each_command_the_lease_and_the_retention_that_it_asks_for) {
  using std::chrono::milliseconds;
  std::vector<command> what;
  for (std::uint64_t key = 0; key < many; ++key) {
    claim asked = claim_of(key, key);
    asked.lease = lease + milliseconds{key % 11};
    asked.retention += milliseconds{key % 3};
    what.emplace_back(std::move(asked));
  }
  const auto granted = ask_all(what);
  for (std::uint64_t key = 0; key < many; ++key) {
    const auto* grant = std::get_if<claim_granted>(&granted[key]);
    ASSERT_NE(grant, nullptr) << to_text(granted[key]);
    EXPECT_EQ(grant->lease_left, lease + milliseconds{key % 11});
  }
  std::vector<command> ends;
  for (std::uint64_t key = 0; key < many; ++key) {
    complete end = completed_of(key, key, "response " + std::to_string(key));
    auto& outcome = std::get<outcome_completed>(end.outcome);
    outcome.retention = milliseconds{1'000 + 1'000 * (key % 10)};
    outcome.retention_tombstone = outcome.retention;
    ends.emplace_back(std::move(end));
  }
  EXPECT_EQ(count<applied>(ask_all(ends)), many);
  clock_.advance(milliseconds{5'500});
  set_redis_clock(clock_.now());
  const auto later = ask_all(claims_of(0, many, 1'000));
  for (std::uint64_t key = 0; key < many; ++key) {
    const auto* replayed = std::get_if<record_completed>(&later[key]);
    ASSERT_EQ(replayed != nullptr, key % 10 >= 5) << key << ": " << to_text(later[key]);
    if (replayed != nullptr) {
      EXPECT_EQ(*replayed->response, "response " + std::to_string(key));
    }
  }
}

TEST_F(redis_batches, go_on_when_the_server_has_forgotten_the_scripts) {
  ask_all(claims_of(0, 10));
  forget_redis_scripts();
  EXPECT_EQ(count<claim_granted>(ask_all(claims_of(0, many))), many);
  std::vector<command> what;
  for (std::uint64_t key = 0; key < many; ++key)
    what.emplace_back(completed_of(key, key));
  forget_redis_scripts();
  EXPECT_EQ(count<applied>(ask_all(what)), many);
}

}  // namespace
}  // namespace onceward::conformance
