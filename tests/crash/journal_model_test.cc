// The journal against the model: random commands and a moving clock, in files so small that every few commands one is
// full, expires or is emptied. And across orderly restarts.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>

#include "effort.h"
#include "journal_rig.h"
#include "random_commands.h"
#include "sample_commands.h"
#include "stores/journal_check/index_check.h"

namespace onceward::crash {
namespace {

bool has_failed() {
  return testing::Test::HasFailure();
}

constexpr std::uint64_t keys = 12;
constexpr std::size_t body_bytes_max = 5'000;

void run_some(journal_rig& rig, random_commands& random, int commands) {
  for (int i = 0; i < commands && !has_failed(); ++i) {
    rig.pause(random.pause());
    rig.run(random.next());
  }
}

// While it is closed. How many index files say what their segments say; none says anything else.
std::uint64_t right_indexes(journal_rig& rig) {
  const auto mounted = rig.disk().mount();
  const auto report = journal::check_indexes(*mounted, rig.now());
  EXPECT_TRUE(report);
  for (const journal::wrong_index& each : report->wrong)
    ADD_FAILURE() << each.file << " " << each.what;
  return report->right;
}

TEST(journal_beside_the_model, says_the_same_while_segments_are_emptied_and_recycled) {
  std::uint64_t segments = 0;
  for (const std::uint64_t seed : seeds(5)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    journal_rig rig(keys);
    random_commands random(seed, keys, body_bytes_max);
    ASSERT_FALSE(rig.open());
    run_some(rig, random, 4'000);
    EXPECT_EQ(rig.compare(), "");
    segments += rig.newest_segment().generation;
    rig.close();
    right_indexes(rig);
  }
  // Each run went round its few files several times.
  EXPECT_GT(segments, seeds(5).size() * 2 * small_journal().bytes_limit / small_journal().segment_bytes);
}

TEST(journal_beside_the_model, says_the_same_when_it_is_full_most_of_the_time) {
  constexpr std::uint64_t too_many_keys = 300;
  std::uint64_t refused = 0;
  for (const std::uint64_t seed : seeds(4)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    journal_rig rig(too_many_keys);
    random_commands random(seed, too_many_keys, body_bytes_max);
    ASSERT_FALSE(rig.open());
    // Time stands still, so nothing expires but in between.
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 800 && !has_failed(); ++i)
        rig.run(random.next());
      rig.pause(std::chrono::seconds{20});
    }
    EXPECT_EQ(rig.compare(), "");
    refused += rig.refused_for_space();
  }
  EXPECT_GT(refused, 100u);
}

TEST(journal_beside_the_model, says_the_same_after_every_restart) {
  std::uint64_t indexes = 0;
  for (const std::uint64_t seed : seeds(20)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    journal_rig rig(keys);
    random_commands random(seed, keys, body_bytes_max);
    for (int life = 0; life < 12 && !has_failed(); ++life) {
      const auto refused = rig.open();
      ASSERT_FALSE(refused) << refused->message;
      ASSERT_EQ(rig.compare_after_opening(), "");
      run_some(rig, random, static_cast<int>(random.below(60)));
      rig.close();
      indexes += right_indexes(rig);
      rig.pause(random.pause());
    }
  }
  EXPECT_GT(indexes, 2 * seeds(20).size());  // Five for each seed, more or less.
}

TEST(journal_beside_the_model, carries_what_lives_out_of_old_segments) {
  constexpr std::uint64_t kept = 5;
  constexpr std::uint64_t brief_ones = 700;
  constexpr std::uint64_t keys_in_all = kept + brief_ones;
  journal_rig rig(keys_in_all);
  ASSERT_FALSE(rig.open());
  rig.run(conformance::claim_of(0, 0));  // Stays in flight: it is renewed.
  for (std::uint64_t key = 1; key < kept; ++key) {
    rig.run(conformance::claim_of(key, key));
    if (key == 1) rig.run(conformance::unknown_of(key, key));
    if (key == 2) rig.run(conformance::release_of(key, key));
    if (key >= 3) rig.run(conformance::completed_of(key, key, std::string(3'000, 'k')));
  }
  for (std::uint64_t key = kept; key < keys_in_all && !has_failed(); ++key) {
    rig.run(conformance::renew_of(0, 0));
    EXPECT_TRUE(std::holds_alternative<claim_granted>(rig.run(conformance::claim_of(key, key))));
    complete brief = conformance::completed_of(key, key);
    std::get<outcome_completed>(brief.outcome).retention = std::chrono::seconds{1};
    std::get<outcome_completed>(brief.outcome).retention_tombstone = std::chrono::seconds{1};
    EXPECT_TRUE(std::holds_alternative<applied>(rig.run(brief)));
    rig.pause(std::chrono::milliseconds{200});
  }
  EXPECT_GT(rig.newest_segment().generation, 4 * small_journal().bytes_limit / small_journal().segment_bytes);
  EXPECT_EQ(rig.refused_for_space(), 0u);
  EXPECT_EQ(rig.compare(), "");
  rig.close();
  ASSERT_FALSE(rig.open());
  EXPECT_EQ(rig.compare_after_opening(), "");
}

TEST(journal_beside_the_model, never_grants_a_fence_twice_though_nothing_is_left_of_the_first) {
  constexpr std::uint64_t others = 15;
  journal_rig rig(1 + others);
  ASSERT_FALSE(rig.open());
  for (std::uint64_t key = 1; key <= others; ++key)
    rig.run(conformance::claim_of(key, key));
  // The last fence granted is that of a record which is soon gone,
  claim brief = conformance::claim_of(0, 100);
  brief.retention = std::chrono::seconds{1};
  rig.run(brief);
  rig.run(conformance::release_of(0, 100));
  rig.pause(std::chrono::seconds{2});
  const std::uint64_t last_generation_with_it = rig.newest_segment().generation;
  // and so is every segment up to the one that it was in, while nothing is claimed.
  for (std::uint64_t key = 1; key <= others; ++key)
    EXPECT_TRUE(std::holds_alternative<applied>(rig.run(conformance::unknown_of(key, key))));
  for (std::uint64_t key = 1; key <= others; ++key) {
    EXPECT_TRUE(std::holds_alternative<applied>(rig.run(conformance::completed_of(key, key, std::string(6'000, 'o')))));
    rig.run(purge{});
  }
  ASSERT_GT(rig.newest_segment().first_generation, last_generation_with_it);
  rig.close();
  ASSERT_FALSE(rig.open());
  EXPECT_EQ(rig.compare_after_opening(), "");
  // The model knows of the fence.
  EXPECT_TRUE(std::holds_alternative<claim_granted>(rig.run(conformance::claim_of(0, 200))));
}

TEST(journal_beside_the_model, keeps_its_files_within_the_limit) {
  const journal::options chosen = small_journal();
  journal_rig rig(keys, chosen);
  random_commands random(7, keys, body_bytes_max);
  ASSERT_FALSE(rig.open());
  for (int i = 0; i < 100; ++i) {
    run_some(rig, random, 30);
    const platter now = rig.disk().snapshot();
    std::size_t bytes = 0;
    for (const std::string& file : now.names())
      bytes += now.read(file).size();
    EXPECT_LE(bytes, chosen.bytes_limit);
    EXPECT_LE(rig.opened().statistics().bytes, chosen.bytes_limit);
  }
}

}  // namespace
}  // namespace onceward::crash
