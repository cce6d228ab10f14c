// Leases, fences and retention: what the store's clock does to a record.

#include <vector>

#include "store_conformance.h"

namespace onceward::conformance {
namespace {

constexpr milliseconds tick{1};

// ---- Leases --------------------------------------------------------------------------------------------------------

TEST_P(store_conformance, holds_a_claim_in_flight_until_its_lease_runs_out) {
  expect<claim_granted>(claim_of(1, 11));
  advance(lease - tick);
  EXPECT_EQ(expect<record_in_flight>(claim_of(1, 12)).lease_left, tick);
  advance(tick);
  expect<record_unknown>(claim_of(1, 12));
}

TEST_P(store_conformance, never_grants_a_key_again_because_its_lease_ran_out) {
  expect<claim_granted>(claim_of(1, 11));
  advance(lease);
  expect<record_unknown>(claim_of(1, 11));
  expect<record_unknown>(claim_of(1, 12));
  expect<record_unknown>(find{key_of(1)});
}

TEST_P(store_conformance, extends_a_lease_from_the_time_of_the_renewal) {
  expect<claim_granted>(claim_of(1, 11));
  for (int renewal = 0; renewal < 5; ++renewal) {
    advance(lease - tick);
    expect<applied>(renew_of(1, 11));
  }
  EXPECT_EQ(expect<record_in_flight>(claim_of(1, 12)).lease_left, lease);
  advance(lease);
  expect<record_unknown>(claim_of(1, 12));
}

TEST_P(store_conformance, never_shortens_a_lease_by_renewing_it) {
  expect<claim_granted>(claim_of(1, 11));
  renew shorter = renew_of(1, 11);
  shorter.lease = tick;
  expect<applied>(shorter);
  EXPECT_EQ(expect<record_in_flight>(claim_of(1, 12)).lease_left, lease);
}

TEST_P(store_conformance, does_not_revive_a_lease_that_ran_out) {
  expect<claim_granted>(claim_of(1, 11));
  advance(lease);
  expect<record_unknown>(renew_of(1, 11));
  expect<record_unknown>(find{key_of(1)});
}

TEST_P(store_conformance, takes_the_outcome_of_an_owner_whose_lease_ran_out) {
  expect<claim_granted>(claim_of(1, 11));
  expect<claim_granted>(claim_of(2, 21));
  advance(10 * lease);
  expect<applied>(completed_of(1, 11, "late"));
  expect<applied>(release_of(2, 21));
  EXPECT_EQ(*expect<record_completed>(claim_of(1, 12)).response, "late");
  expect<claim_granted>(claim_of(2, 22));
}

TEST_P(store_conformance, says_since_when_a_record_is_unknown) {
  const wall_time start = under_test().now();
  expect<claim_granted>(claim_of(1, 11));
  advance(10 * lease);
  EXPECT_EQ(expect<record_unknown>(find{key_of(1)}).summary.ended_at, start + lease);

  expect<claim_granted>(claim_of(2, 21));
  advance(tick);
  expect<applied>(unknown_of(2, 21));
  EXPECT_EQ(expect<record_unknown>(find{key_of(2)}).summary.ended_at, start + 10 * lease + tick);
}

// ---- Fences --------------------------------------------------------------------------------------------------------

TEST_P(store_conformance, raises_the_fence_with_every_grant_of_a_key) {
  std::vector<fence> granted;
  const auto grant = [&](const claim& what) { granted.push_back(expect<claim_granted>(what).token); };

  grant(claim_of(1, 11));
  expect<applied>(release_of(1, 11));
  grant(claim_of(1, 12));  // Over released.
  expect<applied>(unknown_of(1, 12));
  grant(takeover_of(1, 13, 12));  // Over an unknown outcome.
  advance(lease);
  grant(takeover_of(1, 14, 13));  // Over a lease that ran out.
  expect<applied>(completed_of(1, 14));
  advance(retention);
  expect<purged>(purge{});
  grant(claim_of(1, 15));  // Over nothing: the record expired.
  expect<applied>(release_of(1, 15));
  advance(retention);
  grant(claim_of(1, 16));  // The same, without a purge.
  if (durable()) {
    expect<applied>(release_of(1, 16));
    under_test().reopen();
    grant(claim_of(1, 17));
    advance(lease + retention);
    expect<purged>(purge{});
    under_test().reopen();
    grant(claim_of(1, 18));  // The record expired, and the store was opened without it.
  }
  for (std::size_t i = 1; i < granted.size(); ++i)
    EXPECT_GT(granted[i], granted[i - 1]) << "grant " << i;
}

TEST_P(store_conformance, repeats_a_grant_with_the_same_fence) {
  const auto first = expect<claim_granted>(claim_of(1, 11));
  expect<claim_granted>(claim_of(2, 21));
  const auto second = expect<claim_granted>(claim_of(1, 11));
  EXPECT_EQ(second.token, first.token);
  EXPECT_EQ(second.attempt_number, first.attempt_number);
}

// ---- Retention -----------------------------------------------------------------------------------------------------

TEST_P(store_conformance, keeps_every_kind_of_record_until_its_retention_ends) {
  expect<claim_granted>(claim_of(1, 11));
  expect<applied>(completed_of(1, 11));
  expect<claim_granted>(claim_of(2, 21));
  expect<applied>(release_of(2, 21));
  expect<claim_granted>(claim_of(3, 31));
  expect<applied>(unknown_of(3, 31));
  advance(retention - tick);
  EXPECT_EQ(expect<purged>(purge{}).records, 0u);
  expect<record_completed>(find{key_of(1)});
  expect<record_released>(find{key_of(2)});
  expect<record_unknown>(find{key_of(3)});
  advance(tick);
  expect<purged>(purge{});
  for (std::uint64_t key = 1; key <= 3; ++key)
    expect<record_absent>(find{key_of(key)});
}

TEST_P(store_conformance, keeps_an_attempt_that_never_ended_for_its_retention_after_the_lease) {
  expect<claim_granted>(claim_of(1, 11));
  advance(lease + retention - tick);
  expect<purged>(purge{});
  expect<record_unknown>(find{key_of(1)});
  advance(tick);
  expect<purged>(purge{});
  expect<record_absent>(find{key_of(1)});
}

TEST_P(store_conformance, never_expires_a_claim_in_flight) {
  claim brief = claim_of(1, 11);
  brief.retention = tick;
  expect<claim_granted>(brief);
  for (int renewal = 0; renewal < 10; ++renewal) {
    advance(lease - tick);
    EXPECT_EQ(expect<purged>(purge{}).records, 0u);
    expect<applied>(renew_of(1, 11));
  }
  expect<record_in_flight>(claim_of(1, 12));
}

TEST_P(store_conformance, counts_retention_from_the_end_of_the_attempt) {
  expect<claim_granted>(claim_of(1, 11));
  for (int renewal = 0; renewal < 10; ++renewal) {
    advance(lease / 3);
    expect<applied>(renew_of(1, 11));
  }
  const wall_time completed_at = under_test().now();
  expect<applied>(completed_of(1, 11));
  const auto done = expect<record_completed>(find{key_of(1)});
  EXPECT_EQ(done.summary.ended_at, completed_at);
  EXPECT_EQ(done.summary.expires_at, completed_at + retention);
}

complete completed_for(std::uint64_t key, std::uint64_t attempt, milliseconds response, milliseconds tombstone) {
  complete what = completed_of(key, attempt);
  std::get<outcome_completed>(what.outcome).retention = response;
  std::get<outcome_completed>(what.outcome).retention_tombstone = tombstone;
  return what;
}

TEST_P(store_conformance, keeps_the_tombstone_longer_than_the_response) {
  expect<claim_granted>(claim_of(1, 11));
  expect<applied>(completed_for(1, 11, retention, 2 * retention));
  advance(retention - tick);
  EXPECT_NE(expect<record_completed>(find{key_of(1)}).response, nullptr);
  advance(tick);
  EXPECT_EQ(expect<purged>(purge{}).records, 0u);
  const auto done = expect<record_completed>(claim_of(1, 12));
  EXPECT_EQ(done.response, nullptr);
  ASSERT_NE(done.tombstone, nullptr);
  EXPECT_EQ(*done.tombstone, "tombstone");
  EXPECT_EQ(*done.summary.fingerprint, *claim_of(1, 11).fingerprint);
  advance(retention);
  expect<purged>(purge{});
  expect<record_absent>(find{key_of(1)});
}

TEST_P(store_conformance, keeps_the_tombstone_as_long_as_the_response_at_least) {
  expect<claim_granted>(claim_of(1, 11));
  expect<applied>(completed_for(1, 11, retention, tick));
  advance(retention - tick);
  EXPECT_NE(expect<record_completed>(find{key_of(1)}).response, nullptr);
}

TEST_P(store_conformance, starts_over_with_a_key_that_expired) {
  expect<claim_granted>(claim_of(1, 11));
  expect<applied>(completed_of(1, 11));
  advance(retention);
  expect<purged>(purge{});
  const wall_time later = under_test().now();
  EXPECT_EQ(expect<claim_granted>(claim_of(1, 12)).attempt_number, 1u);
  EXPECT_EQ(expect<record_in_flight>(find{key_of(1)}).summary.first_seen, later);
  expect<fenced>(completed_of(1, 11));
}

TEST_P(store_conformance, uses_the_latest_retention_of_a_record) {
  claim brief = claim_of(1, 11);
  brief.retention = tick;
  expect<claim_granted>(brief);
  expect<applied>(completed_of(1, 11));
  advance(retention - tick);
  expect<purged>(purge{});
  expect<record_completed>(find{key_of(1)});

  expect<claim_granted>(claim_of(2, 21));
  complete open = unknown_of(2, 21);
  std::get<outcome_unknown>(open.outcome).retention = tick;
  expect<applied>(open);
  advance(tick);
  expect<purged>(purge{});
  expect<record_absent>(find{key_of(2)});
}

}  // namespace
}  // namespace onceward::conformance
