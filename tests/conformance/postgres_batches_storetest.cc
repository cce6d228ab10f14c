// What goes out to PostgreSQL in one statement is decided for each command as if it had gone alone.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "collecting_sink.h"
#include "reply_text.h"
#include "sample_commands.h"
#include "stores/postgres/migrate.h"
#include "stores/postgres/postgres_store.h"
#include "stores/postgres/session.h"

namespace onceward::conformance {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t many = 300;

const std::string& own_url() {
  static const std::string made = [] {
    const std::string url = std::getenv("ONCEWARD_POSTGRES_URL");
    auto with = postgres::session::open(*postgres::parse_target(url));
    EXPECT_TRUE(with->run("CREATE DATABASE batches"));
    const std::string own = url.substr(0, url.rfind('/')) + "/batches";
    EXPECT_TRUE(postgres::migrate(own));
    return own;
  }();
  return made;
}

class postgres_batches : public testing::Test {
 protected:
  postgres_batches() : admin_(*postgres::session::open(*postgres::parse_target(own_url()))) {
    run("TRUNCATE onceward.record, onceward.recovery_point");
    store_ = open();
  }

  void run(const std::string& text) {
    const auto done = admin_.run(text);
    ASSERT_TRUE(done) << text << ": " << done.error().message;
  }

  static std::unique_ptr<postgres::postgres_store> open(std::size_t lanes = 4) {
    postgres::options chosen;
    chosen.url = own_url();
    chosen.lanes = lanes;
    chosen.lock_timeout = 300ms;
    auto opened = postgres::postgres_store::open(std::move(chosen));
    EXPECT_TRUE(opened) << opened.error();
    return *std::move(opened);
  }

  std::vector<reply> ask_all(const std::vector<command>& what) { return sink_.ask_all(*store_, what); }

  collecting_sink sink_;
  postgres::session admin_;
  std::unique_ptr<postgres::postgres_store> store_;
};

TEST_F(postgres_batches, grant_every_new_key_under_a_fence_of_its_own) {
  const auto replies = ask_all(claims_of(0, many));
  std::set<fence> fences;
  for (const reply& each : replies) {
    const auto* granted = std::get_if<claim_granted>(&each);
    ASSERT_NE(granted, nullptr) << to_text(each);
    EXPECT_EQ(granted->attempt_number, 1u);
    EXPECT_GT(granted->lease_left, 0ms);
    EXPECT_LE(granted->lease_left, lease);
    fences.insert(granted->token);
  }
  EXPECT_EQ(fences.size(), many);
}

TEST_F(postgres_batches, give_a_repeated_claim_the_grant_that_it_had) {
  const auto first = ask_all(claims_of(0, many));
  const auto second = ask_all(claims_of(0, many));
  for (std::size_t i = 0; i < many; ++i) {
    ASSERT_TRUE(std::holds_alternative<claim_granted>(second[i])) << to_text(second[i]);
    EXPECT_EQ(std::get<claim_granted>(first[i]).token, std::get<claim_granted>(second[i]).token);
  }
}

TEST_F(postgres_batches, grant_a_key_that_many_claim_once) {
  std::vector<command> what;
  for (std::uint64_t attempt = 1; attempt <= 40; ++attempt) {
    for (std::uint64_t key = 0; key < 10; ++key)
      what.emplace_back(claim_of(key, 1'000 * attempt + key));
  }
  const auto replies = ask_all(what);
  EXPECT_EQ(count<claim_granted>(replies), 10u);
  EXPECT_EQ(count<record_in_flight>(replies), what.size() - 10);
}

TEST_F(postgres_batches, of_two_gateways_grant_each_key_once) {
  const auto other = open();
  std::vector<std::uint64_t> mine, theirs;
  for (std::uint64_t key = 0; key < many; ++key) {
    mine.push_back(sink_.submit(*store_, claim_of(key, key)));
    theirs.push_back(sink_.submit(*other, claim_of(many - 1 - key, 10'000 + key)));
  }
  std::vector<reply> replies;
  for (const auto* tags : {&mine, &theirs}) {
    for (const std::uint64_t tag : *tags)
      replies.push_back(sink_.wait(tag));
  }
  EXPECT_EQ(count<claim_granted>(replies), many);
  EXPECT_EQ(count<record_in_flight>(replies), many);
}

TEST_F(postgres_batches, complete_what_runs_and_fence_what_does_not) {
  ask_all(claims_of(0, many));
  std::vector<command> what;
  for (std::uint64_t key = 0; key < many; ++key)
    what.emplace_back(completed_of(key, key % 3 == 0 ? 77'777 : key));
  const auto replies = ask_all(what);
  for (std::uint64_t key = 0; key < many; ++key) {
    EXPECT_EQ(std::holds_alternative<fenced>(replies[key]), key % 3 == 0) << to_text(replies[key]);
    EXPECT_EQ(std::holds_alternative<applied>(replies[key]), key % 3 != 0) << to_text(replies[key]);
  }
  const auto duplicates = ask_all(claims_of(0, many, 50'000));
  EXPECT_EQ(count<record_in_flight>(duplicates), many / 3);
  EXPECT_EQ(count<record_completed>(duplicates), many - many / 3);
}

TEST_F(postgres_batches, keep_the_first_result_of_an_attempt_and_take_its_repetition) {
  ask_all(claims_of(0, 40));
  std::vector<command> first, second;
  for (std::uint64_t key = 0; key < 40; ++key) {
    first.emplace_back(completed_of(key, key, "first"));
    second.emplace_back(completed_of(key, key, key % 2 == 0 ? "first" : "second"));
  }
  EXPECT_EQ(count<applied>(ask_all(first)), 40u);
  const auto replies = ask_all(second);
  for (std::uint64_t key = 0; key < 40; ++key) {
    if (key % 2 == 0) {
      EXPECT_TRUE(std::holds_alternative<applied>(replies[key])) << to_text(replies[key]);
    } else {
      const auto* stands = std::get_if<record_completed>(&replies[key]);
      ASSERT_NE(stands, nullptr) << to_text(replies[key]);
      EXPECT_EQ(*stands->response, "first");
    }
  }
}

TEST_F(postgres_batches, claim_what_has_expired_or_was_released_and_replay_the_rest) {
  ask_all(claims_of(0, 60));
  std::vector<command> ends;
  for (std::uint64_t key = 0; key < 60; ++key) {
    if (key % 3 == 0) ends.emplace_back(release_of(key, key));
    if (key % 3 == 1) ends.emplace_back(completed_of(key, key));
  }
  EXPECT_EQ(count<applied>(ask_all(ends)), ends.size());
  run("UPDATE onceward.record SET expires_at = onceward.now_ms() - 1, ended_at = onceward.now_ms() - 1 - retention "
      "WHERE state = 0");
  const auto replies = ask_all(claims_of(0, 100, 1'000));
  for (std::uint64_t key = 0; key < 100; ++key) {
    const bool is_kept = key < 60 && key % 3 == 1;
    EXPECT_EQ(std::holds_alternative<record_completed>(replies[key]), is_kept) << key << to_text(replies[key]);
    const auto* granted = std::get_if<claim_granted>(&replies[key]);
    ASSERT_EQ(granted == nullptr, is_kept);
    if (granted != nullptr) {
      EXPECT_EQ(granted->attempt_number, key < 60 && key % 3 == 0 ? 2u : 1u) << key;
    }
  }
}

TEST_F(postgres_batches, keep_the_order_of_one_key) {
  std::vector<command> what;
  for (std::uint64_t key = 0; key < 50; ++key) {
    what.emplace_back(claim_of(key, key));
    what.emplace_back(completed_of(key, key, "of " + std::to_string(key)));
    what.emplace_back(claim_of(key, 1'000 + key));
  }
  const auto replies = ask_all(what);
  for (std::uint64_t key = 0; key < 50; ++key) {
    EXPECT_TRUE(std::holds_alternative<claim_granted>(replies[3 * key]));
    EXPECT_TRUE(std::holds_alternative<applied>(replies[3 * key + 1])) << to_text(replies[3 * key + 1]);
    const auto* replayed = std::get_if<record_completed>(&replies[3 * key + 2]);
    ASSERT_NE(replayed, nullptr) << to_text(replies[3 * key + 2]);
    EXPECT_EQ(*replayed->response, "of " + std::to_string(key));
  }
}

TEST_F(postgres_batches, refuse_one_that_the_server_cannot_carry_out_and_carry_out_its_neighbours) {
  auto what = claims_of(0, 100);
  std::get<claim>(what[50]).lease = std::chrono::milliseconds{std::numeric_limits<std::int64_t>::max()};
  const auto replies = ask_all(what);
  EXPECT_EQ(count<claim_granted>(replies), 99u);
  const auto* refused = std::get_if<store_failure>(&replies[50]);
  ASSERT_NE(refused, nullptr) << to_text(replies[50]);
  EXPECT_EQ(refused->effect, certainty::definite);
  EXPECT_EQ(refused->reason, errc::too_large);
}

TEST_F(postgres_batches, carry_out_the_neighbours_of_one_whose_key_somebody_has_locked) {
  auto holder = *postgres::session::open(*postgres::parse_target(own_url()));
  ask_all(claims_of(0, 1));
  ASSERT_TRUE(holder.run("BEGIN"));
  ASSERT_TRUE(holder.run("UPDATE onceward.record SET fence = fence"));
  std::vector<command> what = claims_of(1, 80);
  what.emplace_back(completed_of(0, 0));
  const auto replies = ask_all(what);
  EXPECT_EQ(count<claim_granted>(replies), 79u);
  const auto* refused = std::get_if<store_failure>(&replies.back());
  ASSERT_NE(refused, nullptr) << to_text(replies.back());
  EXPECT_EQ(refused->effect, certainty::definite);
  EXPECT_EQ(refused->reason, errc::timeout);
  ASSERT_TRUE(holder.run("ROLLBACK"));
  EXPECT_TRUE(std::holds_alternative<applied>(sink_.ask(*store_, completed_of(0, 0))));
}

TEST_F(postgres_batches, find_the_day_of_their_responses_missing_and_make_it) {
  run("SELECT onceward.drop_response_days(100000000)");
  ask_all(claims_of(0, 60));
  std::vector<command> what;
  for (std::uint64_t key = 0; key < 60; ++key)
    what.emplace_back(completed_of(key, key));
  const auto replies = ask_all(what);
  EXPECT_EQ(count<applied>(replies), 60u);
}

TEST_F(postgres_batches, carry_long_responses_and_none) {
  ask_all(claims_of(0, 60));
  std::vector<command> what;
  for (std::uint64_t key = 0; key < 60; ++key) {
    auto ended = completed_of(key, key, std::string(key * 1'000, 'r'));
    if (key % 7 == 0) std::get<outcome_completed>(ended.outcome).response = nullptr;
    what.emplace_back(std::move(ended));
  }
  EXPECT_EQ(count<applied>(ask_all(what)), 60u);
  const auto replies = ask_all(claims_of(0, 60, 1'000));
  for (std::uint64_t key = 0; key < 60; ++key) {
    const auto* replayed = std::get_if<record_completed>(&replies[key]);
    ASSERT_NE(replayed, nullptr) << to_text(replies[key]);
    if (key % 7 == 0) {
      EXPECT_EQ(replayed->response, nullptr);
    } else {
      ASSERT_NE(replayed->response, nullptr);
      EXPECT_EQ(replayed->response->size(), key * 1'000);
    }
  }
}

TEST_F(postgres_batches, use_another_connection_while_one_waits) {
  auto holder = *postgres::session::open(*postgres::parse_target(own_url()));
  ask_all(claims_of(0, 1));
  ASSERT_TRUE(holder.run("BEGIN"));
  ASSERT_TRUE(holder.run("UPDATE onceward.record SET fence = fence"));
  const auto waiting = sink_.submit(*store_, completed_of(0, 0));
  const std::size_t answered = sink_.answered();
  // Each goes out by itself, until one has found a free connection.
  for (std::uint64_t key = 1; key <= 200; ++key) {
    const auto replies = ask_all(claims_of(key, key + 1));
    ASSERT_TRUE(std::holds_alternative<claim_granted>(replies[0]) || sink_.answered() > answered + key)
        << to_text(replies[0]);
  }
  ASSERT_TRUE(holder.run("ROLLBACK"));
  sink_.wait(waiting);
}

}  // namespace
}  // namespace onceward::conformance
