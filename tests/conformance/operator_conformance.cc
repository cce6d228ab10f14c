// What an operator uses: the list of unknown records, purge and statistics; and a store that is full.

#include <algorithm>
#include <vector>

#include "store_conformance.h"

namespace onceward::conformance {
namespace {

std::vector<record_key> keys_of(const unknown_listed& listed) {
  std::vector<record_key> keys;
  for (const auto& item : listed.items)
    keys.push_back(item.key);
  return keys;
}

TEST_P(store_conformance, lists_unknown_records_in_the_order_of_their_keys) {
  std::vector<record_key> unknown;
  for (std::uint64_t key = 1; key <= 40; ++key) {
    expect<claim_granted>(claim_of(key, key));
    if (key % 4 == 1) expect<applied>(completed_of(key, key));
    if (key % 4 == 2) expect<applied>(release_of(key, key));
    if (key % 4 == 3) expect<applied>(unknown_of(key, key));
    if (key % 4 == 3) unknown.push_back(key_of(key));
  }
  std::sort(unknown.begin(), unknown.end());
  EXPECT_EQ(keys_of(expect<unknown_listed>(list_unknown{{}, 100})), unknown);
}

TEST_P(store_conformance, lists_unknown_records_page_by_page) {
  std::vector<record_key> unknown;
  for (std::uint64_t key = 1; key <= 23; ++key) {
    expect<claim_granted>(claim_of(key, key));
    expect<applied>(unknown_of(key, key));
    unknown.push_back(key_of(key));
  }
  std::sort(unknown.begin(), unknown.end());
  std::vector<record_key> listed;
  record_key after{};
  for (;;) {
    const auto page = keys_of(expect<unknown_listed>(list_unknown{after, 5}));
    EXPECT_LE(page.size(), 5u);
    if (page.empty()) break;
    listed.insert(listed.end(), page.begin(), page.end());
    after = page.back();
  }
  EXPECT_EQ(listed, unknown);
}

TEST_P(store_conformance, lists_a_record_whose_lease_ran_out_and_tells_whose_it_was) {
  expect<claim_granted>(claim_of(1, 11));
  EXPECT_TRUE(expect<unknown_listed>(list_unknown{{}, 10}).items.empty());
  const wall_time start = under_test().now();
  advance(lease);
  const auto listed = expect<unknown_listed>(list_unknown{{}, 10});
  ASSERT_EQ(listed.items.size(), 1u);
  EXPECT_EQ(listed.items[0].key, key_of(1));
  EXPECT_EQ(listed.items[0].summary.attempt, attempt_of(11));
  EXPECT_EQ(listed.items[0].summary.ended_at, start + lease);
  EXPECT_EQ(*listed.items[0].summary.fingerprint, *claim_of(1, 11).fingerprint);
}

TEST_P(store_conformance, does_not_list_what_was_resolved_or_has_expired) {
  for (std::uint64_t key = 1; key <= 3; ++key) {
    expect<claim_granted>(claim_of(key, key));
    expect<applied>(unknown_of(key, key));
  }
  expect<applied>(completed_of(1, 1));
  expect<applied>(release_of(2, 2));
  EXPECT_EQ(keys_of(expect<unknown_listed>(list_unknown{{}, 10})), std::vector{key_of(3)});
  advance(retention);
  EXPECT_TRUE(expect<unknown_listed>(list_unknown{{}, 10}).items.empty());
}

TEST_P(store_conformance, purges_what_has_expired_and_nothing_else) {
  constexpr std::uint64_t count = 100;
  for (std::uint64_t key = 1; key <= count; ++key) {
    expect<claim_granted>(claim_of(key, key));
    complete what = completed_of(key, key);
    if (key % 2 == 0) std::get<outcome_completed>(what.outcome) = {bytes("r"), bytes("t"), lease, lease};
    expect<applied>(what);
  }
  advance(lease);
  // A store may have deleted some of them by itself.
  EXPECT_LE(expect<purged>(purge{}).records, count / 2);
  EXPECT_EQ(expect<purged>(purge{}).records, 0u);
  EXPECT_EQ(stored().statistics().records, count / 2);
  for (std::uint64_t key = 1; key <= count; ++key) {
    EXPECT_EQ(kind_of(ask(find{key_of(key)})), key % 2 == 0 ? "record_absent" : "record_completed");
  }
}

TEST_P(store_conformance, counts_records_and_unknown_ones) {
  EXPECT_EQ(stored().statistics().records, 0u);
  EXPECT_EQ(stored().statistics().records_unknown, 0u);
  EXPECT_TRUE(stored().statistics().accepts_claims);
  for (std::uint64_t key = 1; key <= 10; ++key)
    expect<claim_granted>(claim_of(key, key));
  for (std::uint64_t key = 1; key <= 3; ++key)
    expect<applied>(unknown_of(key, key));
  for (std::uint64_t key = 4; key <= 7; ++key)
    expect<applied>(completed_of(key, key));
  EXPECT_EQ(stored().statistics().records, 10u);
  EXPECT_EQ(stored().statistics().records_unknown, 3u);
  EXPECT_GT(stored().statistics().bytes, 0u);
  advance(lease);
  EXPECT_EQ(stored().statistics().records_unknown, 6u);
  expect<applied>(completed_of(1, 1));
  EXPECT_EQ(stored().statistics().records_unknown, 5u);
  EXPECT_EQ(expect<unknown_listed>(list_unknown{{}, 100}).items.size(), 5u);
}

// ---- A full store --------------------------------------------------------------------------------------------------

class full_store : public store_conformance {
 protected:
  void SetUp() override {
    make({.bytes_limit = GetParam().bytes_limit_min});
    if (GetParam().bytes_limit_min == 0) GTEST_SKIP() << "a store without a limit of its own";
  }

  static constexpr std::size_t body_bytes = 30'000;
};

TEST_P(full_store, refuses_new_claims_and_loses_nothing) {
  EXPECT_EQ(stored().statistics().bytes_limit, GetParam().bytes_limit_min);
  const auto kept = fill(1, body_bytes);
  ASSERT_FALSE(kept.empty());
  EXPECT_FALSE(stored().statistics().accepts_claims);
  EXPECT_LE(stored().statistics().bytes, GetParam().bytes_limit_min);
  for (const std::uint64_t key : kept) {
    const auto done = expect<record_completed>(claim_of(key, key + 1));
    ASSERT_NE(done.response, nullptr);
    EXPECT_EQ(done.response->size(), body_bytes);
  }
}

TEST_P(full_store, changes_nothing_with_a_claim_that_it_refuses) {
  const auto kept = fill(1, body_bytes);
  const std::uint64_t refused = kept.back() + 1;
  for (int again = 0; again < 3; ++again) {
    const auto failure = expect<store_failure>(claim_of(refused, refused));
    EXPECT_EQ(failure.effect, certainty::definite);
    EXPECT_EQ(failure.reason, errc::full);
  }
  expect<record_absent>(find{key_of(refused)});
  expect<fenced>(completed_of(refused, refused));
}

TEST_P(full_store, takes_the_outcomes_of_what_is_in_flight) {
  constexpr std::uint64_t running = 1'000'000;
  constexpr std::uint64_t running_count = 8;
  for (std::uint64_t key = running; key < running + running_count; ++key)
    expect<claim_granted>(claim_of(key, key));
  fill(1, body_bytes);
  // Not longer than what every store reserves.
  const std::string body(4'000, 'y');
  for (std::uint64_t key = running; key < running + running_count; ++key) {
    expect<applied>(completed_of(key, key, body));
    EXPECT_EQ(*expect<record_completed>(find{key_of(key)}).response, body);
  }
}

TEST_P(full_store, accepts_claims_again_once_records_have_expired) {
  const auto kept = fill(1, body_bytes);
  advance(retention);
  EXPECT_LE(expect<purged>(purge{}).records, kept.size());
  EXPECT_TRUE(stored().statistics().accepts_claims);
  // Not for a moment only: as much fits as before.
  const auto kept_again = fill(1'000'000, body_bytes);
  EXPECT_GE(kept_again.size(), kept.size() / 2);
}

INSTANTIATE_TEST_SUITE_P(store, full_store, testing::ValuesIn(stores_under_test()), name_of_store);

}  // namespace
}  // namespace onceward::conformance
