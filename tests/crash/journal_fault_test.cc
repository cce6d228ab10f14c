// Errors of the disk: any call may fail, once or from then on. What was acknowledged is there at the next opening; what
// was refused as definite is not; and after an error of a write or a sync nothing is acknowledged any more. An error of
// a read concerns its command alone, one in preallocating a file nobody as long as there is space.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "effort.h"
#include "journal_rig.h"
#include "random_commands.h"
#include "reply_text.h"
#include "sample_commands.h"

namespace onceward::crash {
namespace {

constexpr std::uint64_t keys = 6;
constexpr journal::io_error broken{errc::io, EIO};
constexpr journal::io_error no_space{errc::full, ENOSPC};

// Nothing is answered from memory, so that reads fail, too.
journal::options without_a_cache() {
  journal::options chosen = small_journal();
  chosen.cache_bytes = 0;
  return chosen;
}

// A journal with a past, in which a call is to fail: in its opening, or in the life after it.
class failing_disk {
 public:
  explicit failing_disk(std::uint64_t seed) : random_(seed, keys, 5'000), past_(keys, without_a_cache()) {
    EXPECT_FALSE(past_.open());
    for (int i = 0; i < 200; ++i) {
      past_.pause(random_.pause());
      past_.run(random_.next());
    }
    past_.close();
    for (int i = 0; i < 100; ++i)
      commands_.push_back({random_.pause(), random_.next()});
    // What an opening makes of claims in flight, for the model: asked of one that nothing happens to.
    expected_ = std::make_unique<journal_rig>(past_, past_.disk().snapshot());
    EXPECT_FALSE(expected_->open());
    EXPECT_EQ(expected_->compare_after_opening(), "");
    expected_->close();
  }

  // Lives with the call of this number failing, counted from the opening. False once there was no such call.
  bool live_with(std::uint64_t number, journal::io_error error, bool forever) {
    SCOPED_TRACE("call " + std::to_string(number));
    journal_rig rig(*expected_, past_.disk().snapshot());
    rig.disk().fail_call(number, error, forever);
    if (const auto refused = rig.open()) {
      EXPECT_TRUE(refused->reason == error.reason || refused->reason == errc::io) << refused->message;
      EXPECT_NE(refused->message.find("simulated"), std::string::npos) << refused->message;
      ++refused_;
    } else {
      run_commands(rig);
    }
    const bool was_made = rig.disk().calls() > number;
    rig.close();
    check_what_is_left(rig, number);
    return was_made;
  }

  int refused() const { return refused_; }  // To open.
  int ended() const { return ended_; }      // The journal was at its end.
  int went_on() const { return went_on_; }

 private:
  void run_commands(journal_rig& rig) {
    bool has_ended = false;
    for (const auto& [pause, what] : commands_) {
      rig.pause(pause);
      const reply answer = rig.run(what);
      EXPECT_TRUE(!has_ended || std::holds_alternative<store_failure>(answer))
          << "acknowledged after the end: " << conformance::to_text(answer);
      has_ended = !rig.opened().failure().empty();
    }
    if (has_ended) {
      EXPECT_FALSE(rig.opened().statistics().accepts_claims);
      ++ended_;
    } else {
      rig.disk().fail_call(~std::uint64_t{0}, {}, false);
      EXPECT_EQ(rig.compare(), "");
      ++went_on_;
    }
  }

  // Neither what the process left nor what a power cut leaves of that may be wrong.
  static void check_what_is_left(journal_rig& rig, std::uint64_t number) {
    std::mt19937_64 random(number);
    const platter left = rig.disk().snapshot();
    std::vector<platter> images{left};
    for (const cut kind : {cut::keeps_nothing, cut::keeps_everything, cut::keeps_some_sectors})
      images.push_back(left.after(kind, random));
    for (platter& each : images) {
      journal_rig again(rig, std::move(each));
      const auto refused = again.open();
      ASSERT_FALSE(refused) << refused->message;
      EXPECT_EQ(again.compare_after_opening(), "");
      EXPECT_LE(again.opened().statistics().bytes, small_journal().bytes_limit);
    }
  }

  random_commands random_;
  journal_rig past_;
  struct paused_command {
    std::chrono::milliseconds pause;
    command what;
  };
  std::vector<paused_command> commands_;
  std::unique_ptr<journal_rig> expected_;
  int refused_ = 0;
  int ended_ = 0;
  int went_on_ = 0;
};

// How often each end was seen. Every one has to be, on average over the seeds: one seed alone may have few.
struct ends_seen {
  explicit ends_seen(std::size_t seeds) : least(static_cast<int>(seeds)) {}

  void add(const failing_disk& disk) {
    refused += disk.refused();
    ended += disk.ended();
    went_on += disk.went_on();
  }

  const int least;
  int refused = 0;
  int ended = 0;
  int went_on = 0;
};

void fail_every_call(journal::io_error error, bool forever, failing_disk& disk) {
  std::uint64_t number = 0;
  while (!testing::Test::HasFailure() && disk.live_with(number, error, forever))
    ++number;
  std::printf("%llu calls: %d refused to open, %d ended the journal, with %d it went on\n",
              static_cast<unsigned long long>(number), disk.refused(), disk.ended(), disk.went_on());
}

ends_seen fail_every_call_for_all_seeds(bool forever) {
  const auto all = seeds(1);
  ends_seen seen(all.size());
  for (const std::uint64_t seed : all) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    failing_disk disk(seed);
    fail_every_call(broken, forever, disk);
    seen.add(disk);
  }
  return seen;
}

TEST(disk_error, at_any_call_leaves_no_wrong_answer_and_nothing_acknowledged_after_the_end) {
  const ends_seen seen = fail_every_call_for_all_seeds(false);
  EXPECT_GT(seen.refused, 10 * seen.least);
  EXPECT_GT(seen.ended, 10 * seen.least);
  EXPECT_GT(seen.went_on, seen.least);
}

TEST(disk_error, from_any_call_on_leaves_no_wrong_answer_and_nothing_acknowledged_after_the_end) {
  const ends_seen seen = fail_every_call_for_all_seeds(true);
  EXPECT_GT(seen.refused, 10 * seen.least);
  EXPECT_GT(seen.ended, 10 * seen.least);
}

TEST(disk_error, for_want_of_space_at_any_call_leaves_no_wrong_answer) {
  for (const std::uint64_t seed : seeds(1)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    failing_disk disk(seed);
    fail_every_call(no_space, false, disk);
  }
}

TEST(disk_error, of_a_read_concerns_its_command_alone) {
  journal_rig rig(keys, without_a_cache());
  ASSERT_FALSE(rig.open());
  rig.run(conformance::claim_of(0, 1));
  rig.run(conformance::completed_of(0, 1));
  rig.disk().fail_call(rig.disk().calls(), broken, false);
  const reply answer = rig.run(find{conformance::key_of(0)});
  ASSERT_TRUE(std::holds_alternative<store_failure>(answer)) << conformance::to_text(answer);
  EXPECT_EQ(std::get<store_failure>(answer).effect, certainty::definite);
  EXPECT_EQ(rig.opened().failure(), "");
  EXPECT_EQ(rig.compare(), "");
}

// After an error of a write, or of the sync behind it, nothing is durable any more.
TEST(disk_error, fails_what_was_outstanding_indefinitely_and_what_comes_later_definitely) {
  for (const std::uint64_t calls_before : {0u, 1u}) {
    journal_rig rig(keys);
    ASSERT_FALSE(rig.open());
    const auto effect_of = [&rig](const command& what) { return std::get<store_failure>(rig.run(what)).effect; };
    rig.run(conformance::claim_of(0, 1));
    rig.disk().fail_call(rig.disk().calls() + calls_before, broken, false);
    EXPECT_EQ(effect_of(conformance::completed_of(0, 1)), certainty::indefinite);
    // Asked again, about a record that may have changed: still not known.
    EXPECT_EQ(effect_of(conformance::completed_of(0, 1)), certainty::indefinite);
    EXPECT_EQ(effect_of(conformance::claim_of(1, 2)), certainty::definite);
    EXPECT_EQ(effect_of(find{conformance::key_of(2)}), certainty::definite);
    EXPECT_EQ(effect_of(purge{}), certainty::definite);
    EXPECT_EQ(effect_of(list_unknown{{}, 1}), certainty::definite);
    EXPECT_NE(rig.opened().failure().find("segment-"), std::string::npos) << rig.opened().failure();
  }
}

// ---- A disk that is full ----

TEST(full_disk, refuses_a_new_journal_with_its_reason) {
  journal_rig rig(keys);
  rig.disk().refuse_new_files(true);
  const auto refused = rig.open();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->reason, errc::full);
}

TEST(full_disk, refuses_claims_takes_outcomes_and_recovers_when_there_is_space) {
  constexpr std::uint64_t many_keys = 500;
  journal_rig rig(many_keys);
  ASSERT_FALSE(rig.open());
  rig.disk().refuse_new_files(true);
  std::uint64_t claimed = 0;
  while (claimed < many_keys &&
         std::holds_alternative<claim_granted>(rig.run(conformance::claim_of(claimed, claimed)))) {
    ++claimed;
  }
  ASSERT_GT(claimed, 5u);
  ASSERT_LT(claimed, many_keys);
  EXPECT_FALSE(rig.opened().statistics().accepts_claims);
  for (std::uint64_t key = 0; key < claimed; ++key) {
    EXPECT_TRUE(std::holds_alternative<applied>(rig.run(conformance::completed_of(key, key, std::string(500, 'x')))))
        << key;
  }
  EXPECT_EQ(rig.compare(), "");

  // A restart on a disk that is still full serves what it has.
  rig.close();
  ASSERT_FALSE(rig.open());
  EXPECT_EQ(rig.compare_after_opening(), "");

  rig.disk().refuse_new_files(false);
  rig.run(purge{});
  EXPECT_TRUE(std::holds_alternative<claim_granted>(rig.run(conformance::claim_of(claimed, claimed))));
  EXPECT_TRUE(rig.opened().statistics().accepts_claims);
}

TEST(full_disk, still_opens_when_claims_in_flight_cannot_be_written_as_unknown) {
  constexpr std::uint64_t many_keys = 500;
  journal_rig rig(many_keys);
  ASSERT_FALSE(rig.open());
  rig.disk().refuse_new_files(true);
  std::uint64_t claimed = 0;
  while (std::holds_alternative<claim_granted>(rig.run(conformance::claim_of(claimed, claimed))))
    ++claimed;
  for (int restart = 0; restart < 5; ++restart) {
    rig.close();
    ASSERT_FALSE(rig.open());
    EXPECT_EQ(rig.compare_after_opening(), "");
    EXPECT_EQ(rig.opened().statistics().records_unknown, claimed);
  }
}

// ---- Two processes ----

TEST(second_process, is_told_who_holds_the_journal) {
  journal_rig rig(keys);
  ASSERT_FALSE(rig.open());
  const auto refused = journal::journal::open(rig.disk().mount(), small_journal(),
                                              [] { return wall_time{std::chrono::milliseconds{1}}; });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, errc::busy);
  EXPECT_NE(refused.error().message.find("process " + std::to_string(::getpid()) + " since 2026-01-01T00:00:00Z"),
            std::string::npos)
      << refused.error().message;
  rig.close();
  EXPECT_FALSE(rig.open());
}

}  // namespace
}  // namespace onceward::crash
