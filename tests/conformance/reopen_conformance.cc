// What a durable store remembers when it is opened again.

#include <vector>

#include "store_conformance.h"

namespace onceward::conformance {
namespace {

class reopened_store : public store_conformance {
 protected:
  void SetUp() override {
    make({});
    if (!durable()) GTEST_SKIP() << "not a durable store";
  }
  void reopen() { under_test().reopen(); }
};

TEST_P(reopened_store, has_every_record_whose_attempt_ended) {
  expect<claim_granted>(claim_of(1, 11));
  expect<applied>(completed_of(1, 11, "the answer"));
  expect<claim_granted>(claim_of(2, 21));
  expect<applied>(release_of(2, 21));
  expect<claim_granted>(claim_of(3, 31));
  expect<applied>(unknown_of(3, 31));
  std::vector<std::string> before;
  for (std::uint64_t key = 1; key <= 4; ++key)
    before.push_back(state_of(key));
  for (int times = 0; times < 3; ++times) {
    reopen();
    for (std::uint64_t key = 1; key <= 4; ++key)
      EXPECT_EQ(state_of(key), before[key - 1]);
  }
}

TEST_P(reopened_store, leaves_claims_in_flight_to_its_kind) {
  expect<claim_granted>(claim_of(1, 11));
  reopen();
  const reply answer = ask(claim_of(1, 12));
  switch (under_test().after_reopen()) {
    case claims_after_reopen::lost:
      FAIL() << "a durable store";
    case claims_after_reopen::unknown:
      EXPECT_EQ(kind_of(answer), "record_unknown");
      break;
    case claims_after_reopen::in_flight:
      EXPECT_EQ(kind_of(answer), "record_in_flight");
      break;
  }
  // Either way the attempt still owns it.
  expect<applied>(completed_of(1, 11, "late"));
  EXPECT_EQ(*expect<record_completed>(claim_of(1, 12)).response, "late");
}

TEST_P(reopened_store, keeps_a_renewed_claim_for_its_retention_at_least) {
  expect<claim_granted>(claim_of(1, 11));
  for (int renewal = 0; renewal < 100; ++renewal) {
    advance(lease / 3);
    expect<applied>(renew_of(1, 11));
  }
  reopen();
  advance(retention - milliseconds{1});
  expect<purged>(purge{});
  expect<record_unknown>(find{key_of(1)});
  advance(lease + milliseconds{1});
  expect<purged>(purge{});
  expect<record_absent>(find{key_of(1)});
}

TEST_P(reopened_store, does_not_bring_back_what_was_superseded_or_has_expired) {
  expect<claim_granted>(claim_of(1, 11));
  expect<applied>(release_of(1, 11));
  expect<claim_granted>(claim_of(1, 12));
  complete brief = completed_of(1, 12);
  std::get<outcome_completed>(brief.outcome).retention = lease;
  std::get<outcome_completed>(brief.outcome).retention_tombstone = lease;
  expect<applied>(brief);
  advance(lease);
  reopen();
  expect<record_absent>(find{key_of(1)});
  expect<purged>(purge{});
  reopen();
  expect<record_absent>(find{key_of(1)});
}

TEST_P(reopened_store, judges_retention_across_the_time_it_was_closed) {
  expect<claim_granted>(claim_of(1, 11));
  expect<applied>(completed_of(1, 11));
  advance(retention - milliseconds{1});
  reopen();
  expect<record_completed>(find{key_of(1)});
  advance(milliseconds{1});
  reopen();
  expect<record_absent>(find{key_of(1)});
}

TEST_P(reopened_store, repeats_the_replies_to_commands_that_come_again) {
  const auto granted = expect<claim_granted>(claim_of(1, 11));
  expect<applied>(completed_of(1, 11));
  expect<claim_granted>(claim_of(2, 21));
  expect<applied>(release_of(2, 21));
  reopen();
  expect<applied>(completed_of(1, 11));
  expect<applied>(release_of(2, 21));
  expect<fenced>(claim_of(2, 21));
  EXPECT_EQ(expect<record_completed>(claim_of(1, 11)).summary.token, granted.token);
}

TEST_P(reopened_store, counts_what_it_has) {
  for (std::uint64_t key = 1; key <= 20; ++key)
    expect<claim_granted>(claim_of(key, key));
  for (std::uint64_t key = 1; key <= 10; ++key)
    expect<applied>(completed_of(key, key));
  for (std::uint64_t key = 11; key <= 15; ++key)
    expect<applied>(unknown_of(key, key));
  reopen();
  EXPECT_EQ(stored().statistics().records, 20u);
  const bool one_owner = under_test().after_reopen() == claims_after_reopen::unknown;
  EXPECT_EQ(stored().statistics().records_unknown, one_owner ? 10u : 5u);
}

INSTANTIATE_TEST_SUITE_P(store, reopened_store, testing::ValuesIn(stores_under_test()), name_of_store);

}  // namespace
}  // namespace onceward::conformance
