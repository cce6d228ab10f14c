// Opening a journal of so many records that threads share the work.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "collecting_sink.h"
#include "sample_commands.h"
#include "settable_clock.h"
#include "simulated_disk.h"
#include "stores/journal/journal.h"

namespace onceward::crash {
namespace {

constexpr std::uint64_t records = 6'000;

// A third of them expire while the journal is closed, a third are kept, and a third are claimed and not more.
bool expires(std::uint64_t number) {
  return number % 3 == 0;
}
bool is_claimed_only(std::uint64_t number) {
  return number % 3 == 1;
}

std::vector<command> outcomes() {
  std::vector<command> all;
  for (std::uint64_t number = 0; number < records; ++number) {
    if (is_claimed_only(number)) continue;
    complete what = conformance::completed_of(number, number, std::to_string(number));
    auto& kept = std::get<outcome_completed>(what.outcome);
    kept.retention = kept.retention_tombstone = std::chrono::hours(expires(number) ? 1 : 24);
    all.push_back(std::move(what));
  }
  return all;
}

TEST(a_journal_of_many_records, has_all_that_it_had_when_it_is_opened_again) {
  simulated_disk disk;
  conformance::settable_clock clock;
  conformance::collecting_sink sink;
  journal::options chosen;
  chosen.segment_bytes = 1u << 20;
  chosen.bytes_limit = 256 * chosen.segment_bytes;
  chosen.completion_bytes_reserved = 1u << 10;  // All of them are claimed at once.
  const auto open = [&] { return journal::journal::open(disk.mount(), chosen, [&clock] { return clock.now(); }); };
  {
    const auto made = open();
    ASSERT_TRUE(made) << made.error().message;
    ASSERT_EQ(conformance::count<claim_granted>(sink.ask_all(**made, conformance::claims_of(0, records))), records);
    ASSERT_EQ(conformance::count<applied>(sink.ask_all(**made, outcomes())), records - records / 3);
  }
  clock.advance(std::chrono::hours(2));

  const auto opened = open();
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ((*opened)->statistics().records, records - records / 3);
  EXPECT_EQ((*opened)->statistics().records_unknown, records / 3);
  for (std::uint64_t number = 0; number < records; ++number) {
    const reply found = sink.ask(**opened, find{conformance::key_of(number)});
    if (expires(number)) {
      ASSERT_TRUE(std::holds_alternative<record_absent>(found)) << number;
    } else if (is_claimed_only(number)) {
      ASSERT_TRUE(std::holds_alternative<record_unknown>(found)) << number;
    } else {
      const auto* const done = std::get_if<record_completed>(&found);
      ASSERT_NE(done, nullptr) << number;
      ASSERT_EQ(*done->response, std::to_string(number));
    }
  }
}

}  // namespace
}  // namespace onceward::crash
