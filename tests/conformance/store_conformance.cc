#include "store_conformance.h"

#include <cstddef>
#include <span>
#include <utility>

namespace onceward::conformance {
namespace {

// splitmix64: each byte of a key looks random and is the same in every run.
void scatter(std::uint64_t number, std::span<std::byte> out) {
  std::uint64_t state = number;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i % 8 == 0) state += 0x9e3779b97f4a7c15u;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    mixed ^= mixed >> 31;
    out[i] = static_cast<std::byte>(mixed >> (8 * (i % 8)));
  }
}

}  // namespace

record_key key_of(std::uint64_t number) {
  record_key key;
  scatter(number, key.bytes);
  return key;
}

attempt_id attempt_of(std::uint64_t number) {
  attempt_id id;
  scatter(number + (1ull << 40), id.bytes);
  return id;
}

shared_bytes bytes(std::string_view text) {
  return std::make_shared<const std::string>(text);
}

claim claim_of(std::uint64_t key, std::uint64_t attempt) {
  return {.key = key_of(key),
          .attempt = attempt_of(attempt),
          .lease = lease,
          .retention = retention,
          .fingerprint = bytes("fingerprint of " + std::to_string(attempt))};
}

claim takeover_of(std::uint64_t key, std::uint64_t attempt, std::uint64_t over) {
  claim what = claim_of(key, attempt);
  what.over_unknown = attempt_of(over);
  return what;
}

renew renew_of(std::uint64_t key, std::uint64_t attempt) {
  return {key_of(key), attempt_of(attempt), lease};
}

complete completed_of(std::uint64_t key, std::uint64_t attempt, std::string_view response) {
  return {key_of(key), attempt_of(attempt),
          outcome_completed{.response = bytes(response),
                            .tombstone = bytes("tombstone"),
                            .retention = retention,
                            .retention_tombstone = retention}};
}

complete unknown_of(std::uint64_t key, std::uint64_t attempt) {
  return {key_of(key), attempt_of(attempt), outcome_unknown{retention}};
}

release release_of(std::uint64_t key, std::uint64_t attempt) {
  return {key_of(key), attempt_of(attempt)};
}

void store_conformance::make(const requirements& wanted) {
  under_test_.reset();
  sink_ = std::make_unique<collecting_sink>();
  under_test_ = GetParam().make(wanted);
}

void store_conformance::TearDown() {
  under_test_.reset();
  EXPECT_EQ(sink_->unexpected(), 0u);
  EXPECT_EQ(sink_->delivered_inside_submit(), 0u);
  EXPECT_EQ(sink_->empty_deliveries(), 0u);
}

std::vector<std::uint64_t> store_conformance::fill(std::uint64_t first, std::size_t body_bytes) {
  constexpr std::uint64_t claims_max = 100'000;
  const std::string body(body_bytes, 'x');
  std::vector<std::uint64_t> keys;
  for (std::uint64_t key = first; key < first + claims_max; ++key) {
    const reply answer = ask(claim_of(key, key));
    if (const auto* refused = std::get_if<store_failure>(&answer)) {
      EXPECT_EQ(refused->effect, certainty::definite);
      EXPECT_EQ(refused->reason, errc::full);
      return keys;
    }
    EXPECT_EQ(kind_of(answer), "claim_granted");
    EXPECT_EQ(ask_kind(completed_of(key, key, body)), "applied");
    keys.push_back(key);
  }
  ADD_FAILURE() << "the store never said that it is full";
  return keys;
}

INSTANTIATE_TEST_SUITE_P(store, store_conformance, testing::ValuesIn(stores_under_test()), name_of_store);

}  // namespace onceward::conformance
