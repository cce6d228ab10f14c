#include "store_conformance.h"

#include <cstddef>
#include <utility>

namespace onceward::conformance {

void store_conformance::make(const requirements& wanted) {
  under_test_.reset();
  sink_ = std::make_unique<collecting_sink>();
  under_test_ = GetParam().make(wanted);
}

void store_conformance::TearDown() {
  under_test_.reset();
  EXPECT_EQ(sink_->unexpected(), 0u);
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
