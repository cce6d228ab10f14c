// The journal under many threads, with files, cache and limit so small that commits, cold reads, recycling, refusals
// and errands all happen at once.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "collecting_sink.h"
#include "journal_rig.h"
#include "reply_text.h"
#include "sample_commands.h"
#include "settable_clock.h"

namespace onceward::crash {
namespace {

using conformance::collecting_sink;

constexpr std::uint64_t thread_count = 8;
constexpr std::uint64_t rounds = 400;
constexpr std::uint64_t keys = 40;

// All rounds of a life together are shorter than a lease, so none runs out while its attempt lives; but many times as
// long as records are kept.
constexpr std::chrono::milliseconds time_of_a_round{8};
constexpr std::chrono::milliseconds retention{1'500};
static_assert(thread_count * rounds * time_of_a_round < conformance::lease);

enum class asking { at_once, as_idle_loops_do };

// How often what the test is about came about.
struct tally {
  std::atomic<std::uint64_t> granted{0};
  std::atomic<std::uint64_t> replayed{0};
  std::atomic<std::uint64_t> refused{0};
};

// What is known of a key from outside the store.
struct watched_key {
  std::atomic<bool> is_held{false};
  std::atomic<std::uint64_t> last_fence{0};
};

class client {
 public:
  client(journal::journal& asked, conformance::settable_clock& clock, std::array<watched_key, keys>& watched,
         tally& seen, std::uint64_t number, asking how)
      : asked_(asked), clock_(clock), watched_(watched), seen_(seen), random_(number), number_(number), how_(how) {}

  void run() {
    for (std::uint64_t round = 0; round < rounds; ++round) {
      clock_.advance(time_of_a_round);
      const std::uint64_t key = random_() % keys;
      const std::uint64_t attempt = number_ * rounds + round + 1;
      claim what = conformance::claim_of(key, attempt);
      what.retention = retention;
      const reply answer = ask(what);
      if (const auto* granted = std::get_if<claim_granted>(&answer)) {
        ++seen_.granted;
        hold(key, attempt, *granted);
      } else if (const auto* done = std::get_if<record_completed>(&answer)) {
        ++seen_.replayed;
        // A replay is the body of the attempt that it names.
        EXPECT_EQ(*done->response, body_of(done->summary.attempt));
      } else if (const auto* failure = std::get_if<store_failure>(&answer)) {
        ++seen_.refused;
        EXPECT_EQ(failure->reason, errc::full);
        EXPECT_EQ(failure->effect, certainty::definite);
      }
      if (round % 50 == number_ % 50) {
        EXPECT_EQ(conformance::kind_of(ask(purge{})), "purged");
      }
      if (round % 50 == 25) {
        EXPECT_EQ(conformance::kind_of(ask(list_unknown{{}, 5})), "unknown_listed");
      }
      asked_.statistics();
    }
  }

  static std::string body_of(const attempt_id& attempt) {
    return std::string(std::to_integer<std::size_t>(attempt.bytes[0]) * 8, static_cast<char>(attempt.bytes[1]));
  }

 private:
  reply ask(command what) {
    if (how_ == asking::at_once) return sink_.ask(asked_, std::move(what));
    const std::uint64_t tag = sink_.gather(asked_, std::move(what));
    asked_.flush(caller::idle);
    return sink_.wait(tag);
  }

  void hold(std::uint64_t key, std::uint64_t attempt, const claim_granted& granted) {
    watched_key& watched = watched_[key];
    EXPECT_FALSE(watched.is_held.exchange(true)) << "two holders of key " << key;
    const auto token = static_cast<std::uint64_t>(granted.token);
    EXPECT_LT(watched.last_fence.exchange(token), token);
    EXPECT_EQ(conformance::kind_of(ask(conformance::renew_of(key, attempt))), "applied");
    watched.is_held = false;
    if (random_() % 3 == 0) {
      EXPECT_EQ(conformance::kind_of(ask(conformance::release_of(key, attempt))), "applied");
      return;
    }
    complete what = conformance::completed_of(key, attempt, body_of(conformance::attempt_of(attempt)));
    std::get<outcome_completed>(what.outcome).retention = retention;
    std::get<outcome_completed>(what.outcome).retention_tombstone = retention;
    EXPECT_EQ(conformance::kind_of(ask(what)), "applied");
  }

  journal::journal& asked_;
  conformance::settable_clock& clock_;
  std::array<watched_key, keys>& watched_;
  tally& seen_;
  std::mt19937_64 random_;
  std::uint64_t number_;
  asking how_;
  collecting_sink sink_;
};

void stress(const journal::options& chosen, tally& seen, asking how = asking::at_once) {
  simulated_disk disk;
  conformance::settable_clock clock;
  std::array<watched_key, keys> watched;
  for (int life = 0; life < 2; ++life) {
    auto opened = journal::journal::open(disk.mount(), chosen, [&clock] { return clock.now(); });
    ASSERT_TRUE(opened) << opened.error().message;
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < thread_count; ++i) {
      const std::uint64_t number = i + static_cast<std::uint64_t>(life) * 100;
      threads.emplace_back([&, number] { client(**opened, clock, watched, seen, number, how).run(); });
    }
    for (std::thread& each : threads)
      each.join();
    EXPECT_EQ((*opened)->failure(), "");
  }
}

// Space is reserved for every outcome of these tests, so that none is refused.
journal::options small_journal_with_space_for_outcomes() {
  journal::options chosen = small_journal();
  chosen.completion_bytes_reserved = 3'000;
  return chosen;
}

TEST(journal_under_stress, has_one_holder_for_each_key_and_replays_what_was_recorded) {
  tally seen;
  stress(small_journal_with_space_for_outcomes(), seen);
  EXPECT_GT(seen.granted, 100u);
  EXPECT_GT(seen.replayed, 100u);
}

TEST(journal_under_stress, does_the_same_without_a_cache) {
  journal::options chosen = small_journal_with_space_for_outcomes();
  chosen.cache_bytes = 0;
  tally seen;
  stress(chosen, seen);
  EXPECT_GT(seen.granted, 100u);
  EXPECT_GT(seen.replayed, 100u);
}

TEST(journal_under_stress, does_the_same_when_threads_commit_by_themselves) {
  journal::options chosen = small_journal_with_space_for_outcomes();
  chosen.by_idle_threads = journal::idle_commits::always;
  tally seen;
  stress(chosen, seen, asking::as_idle_loops_do);
  EXPECT_GT(seen.granted, 100u);
  EXPECT_GT(seen.replayed, 100u);
}

TEST(journal_under_stress, does_the_same_when_it_is_nearly_always_full) {
  journal::options chosen = small_journal_with_space_for_outcomes();
  chosen.bytes_limit = 4 * chosen.segment_bytes;
  tally seen;
  // Whether it is ever full depends on who runs when.
  for (int times = 0; times < 50 && seen.refused == 0; ++times)
    stress(chosen, seen);
  EXPECT_GT(seen.granted, 100u);
  EXPECT_GT(seen.refused, 0u);
}

}  // namespace
}  // namespace onceward::crash
