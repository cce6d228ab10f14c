// Power cuts and kills: whatever of its writes a disk has kept, the journal opens with everything that was
// acknowledged, as it was acknowledged, and with nothing that was not asked for. And what it then tells stays so.
//
// The operations of a random life are recorded. The disk is then made again as it was after each of them, with every
// kind of loss. The journal is run in steps, so a failed test prints a seed that gives the same run again.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "collecting_sink.h"
#include "effort.h"
#include "journal_rig.h"
#include "random_commands.h"
#include "reply_text.h"
#include "sample_commands.h"

namespace onceward::crash {
namespace {

constexpr std::uint64_t keys = 6;
constexpr std::size_t body_bytes_max = 3'000;

bool has_failed() {
  return testing::Test::HasFailure();
}

// One command at a time, or several in one batch of the log.
void live(journal_rig& rig, random_commands& random, std::size_t rounds) {
  for (std::size_t i = 0; i < rounds && !has_failed(); ++i) {
    rig.pause(random.pause());
    if (random.below(2) == 0) {
      rig.run(random.next());
    } else {
      rig.run_together(random.next_group(keys));
    }
  }
}

// That every key can be claimed or says why not, with a fence larger than all before.
void use(journal_rig& rig) {
  for (std::uint64_t key = 0; key < keys; ++key)
    rig.run(conformance::claim_of(key, 1'000'000 + key));
}

void expect_opens(journal_rig& rig, std::uint64_t operations) {
  const auto refused = rig.open(journal::run_by::steps);
  ASSERT_FALSE(refused) << refused->message;
  ASSERT_EQ(rig.compare_after_opening(operations), "");
  note_image();
}

disk_history recorded_life(journal_rig& rig, std::uint64_t seed, std::size_t rounds) {
  rig.disk().keep_history();
  random_commands random(seed, keys, body_bytes_max);
  const auto refused = rig.open(journal::run_by::steps);
  EXPECT_FALSE(refused) << refused->message;
  if (!refused) live(rig, random, rounds);
  rig.close();
  return rig.disk().history();
}

// Where every subset of what was kept is tried: one block's sectors.
constexpr std::size_t units_max = 8;

// Calls `judge` with the disk after each operation of `history`.
template <typename Judge>
void at_every_operation(const disk_history& history, Judge judge) {
  platter now = history.before;
  for (std::uint64_t operations = 0; !has_failed(); ++operations) {
    SCOPED_TRACE("after operation " + std::to_string(operations));
    judge(now, operations);
    if (operations == history.operations.size()) break;
    now.apply(history.operations[operations]);
  }
}

TEST(power_cut, after_any_operation_leaves_what_was_acknowledged) {
  constexpr std::size_t rounds = 25;
  for (const std::uint64_t seed : seeds(8)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    journal_rig rig(keys);
    const disk_history history = recorded_life(rig, seed, rounds);
    std::mt19937_64 random(seed);
    at_every_operation(history, [&](const platter& now, std::uint64_t operations) {
      for (const cut kind : every_cut) {
        SCOPED_TRACE("cut " + std::to_string(static_cast<int>(kind)));
        journal_rig left(rig, now.after(kind, random));
        expect_opens(left, operations);
        if (has_failed()) return;
        use(left);
      }
    });
  }
}

// Not a sample of what a cut may leave, but all of it.
TEST(power_cut, after_any_operation_leaves_what_was_acknowledged_whatever_subset_was_kept) {
  constexpr std::size_t rounds = 8;
  for (const std::uint64_t seed : seeds(3)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    journal_rig rig(keys);
    const disk_history history = recorded_life(rig, seed, rounds);
    at_every_operation(history, [&](const platter& now, std::uint64_t operations) {
      now.for_each_cut(units_max, [&](platter left) {
        if (has_failed()) return;
        journal_rig again(rig, std::move(left));
        expect_opens(again, operations);
      });
    });
  }
}

// The second life writes to where the first was cut short, and is cut short there, too.
TEST(power_cut, twice_at_the_same_place_leaves_what_was_acknowledged) {
  for (const std::uint64_t seed : seeds(1)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    journal_rig rig(keys);
    rig.disk().keep_history();
    ASSERT_FALSE(rig.open(journal::run_by::steps));
    rig.run(conformance::claim_of(0, 1));
    rig.run(conformance::completed_of(0, 1, std::string(5'000, 'b')));
    rig.close();
    at_every_operation(rig.disk().history(), [&](const platter& now, std::uint64_t operations) {
      for (const cut kind : {cut::keeps_some_sectors, cut::loses_one_sector, cut::keeps_one_sector}) {
        journal_rig second(rig, now.after(kind, random));
        second.disk().keep_history();
        expect_opens(second, operations);
        if (has_failed()) return;
        second.close();
        at_every_operation(second.disk().history(), [&](const platter& then, std::uint64_t) {
          then.for_each_cut(units_max, [&](platter left) {
            if (has_failed()) return;
            journal_rig third(second, std::move(left));
            expect_opens(third, journal_rig::everything);
          });
        });
      }
    });
  }
}

// A process that ends leaves everything in place, but not synced: what the next one reads a power cut may still take.
TEST(power_cut, takes_nothing_that_was_told_after_a_kill) {
  constexpr std::size_t rounds = 25;
  for (const std::uint64_t seed : seeds(8)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    journal_rig rig(keys);
    const disk_history history = recorded_life(rig, seed, rounds);
    std::mt19937_64 random(seed);
    at_every_operation(history, [&](const platter& now, std::uint64_t operations) {
      journal_rig second(rig, now);
      expect_opens(second, operations);
      if (has_failed()) return;
      if (operations % 2 == 0) second.run(conformance::claim_of(0, 1'000'000));
      for (const cut kind : every_cut) {
        SCOPED_TRACE("cut " + std::to_string(static_cast<int>(kind)));
        journal_rig third(second, second.disk().snapshot().after(kind, random));
        expect_opens(third, journal_rig::everything);
      }
    });
  }
}

// Lives that each end at some operation, by power or by a kill, one after the other on the same disk.
void live_and_die(std::uint64_t seed, int lives) {
  random_commands random(seed, keys, body_bytes_max);
  auto rig = std::make_unique<journal_rig>(keys);
  std::uint64_t operations = 0;  // Of the life before.
  bool was_killed = false;
  for (int life = 0; life < lives && !has_failed(); ++life) {
    SCOPED_TRACE("life " + std::to_string(life));
    rig->disk().keep_history();
    expect_opens(*rig, operations);
    if (has_failed()) return;
    const std::uint64_t opened_after = rig->disk().operation_count();
    // Many are so short that one cut comes where the one before came.
    live(*rig, random, random.below(random.below(2) == 0 ? 3 : 15));
    rig->close();

    // What a killed process left is not surely there before it has been opened again.
    const disk_history history = rig->disk().history();
    const std::uint64_t earliest = was_killed ? opened_after : 0;
    operations = earliest + random.below(history.operations.size() - earliest + 1);
    platter left = history.before;
    for (std::uint64_t i = 0; i < operations; ++i)
      left.apply(history.operations[i]);
    was_killed = random.below(3) == 0;
    if (!was_killed) left = left.after(every_cut[random.below(std::size(every_cut))], random.source());
    rig = std::make_unique<journal_rig>(*rig, std::move(left));
    rig->pause(random.pause());
  }
}

TEST(power_cut, after_power_cuts_and_kills_leaves_what_was_acknowledged) {
  for (const std::uint64_t seed : seeds(30)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    live_and_die(seed, 40);
    if (has_failed()) return;
  }
}

// Another command may ask for a record while its change is on the way to the disk.
TEST(power_cut, takes_nothing_that_was_told_because_changes_are_told_when_they_are_synced) {
  simulated_disk disk;
  const wall_time now{std::chrono::milliseconds{1'767'225'600'000}};
  auto opened = journal::journal::open(disk.mount(), small_journal(), [now] { return now; });
  ASSERT_TRUE(opened);
  conformance::collecting_sink sink;
  sink.ask(**opened, conformance::claim_of(0, 1));
  sink.ask(**opened, conformance::claim_of(1, 2));

  disk.hold_syncs(true);
  const auto completing = sink.submit(**opened, conformance::completed_of(0, 1));
  const auto finding = sink.submit(**opened, find{conformance::key_of(0)});
  const auto claiming = sink.submit(**opened, conformance::claim_of(0, 3));
  // Of another record, which nothing happens to, is told at once; and after whatever was told of the first.
  EXPECT_EQ(conformance::kind_of(sink.ask(**opened, find{conformance::key_of(1)})), "record_in_flight");
  EXPECT_EQ(sink.answered(), 3u);
  disk.hold_syncs(false);
  EXPECT_EQ(conformance::kind_of(sink.wait(completing)), "applied");
  EXPECT_EQ(conformance::kind_of(sink.wait(finding)), "record_completed");
  EXPECT_EQ(conformance::kind_of(sink.wait(claiming)), "record_completed");
}

// ---- Level `written`: the process may die, the machine not ----

journal::options only_written() {
  journal::options chosen = small_journal();
  chosen.level = journal::durability::written;
  return chosen;
}

TEST(kill, after_any_operation_leaves_what_was_acknowledged_without_a_sync) {
  for (const std::uint64_t seed : seeds(5)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    journal_rig rig(keys, only_written());
    const disk_history history = recorded_life(rig, seed, 30);
    at_every_operation(history, [&](const platter& now, std::uint64_t operations) {
      journal_rig left(rig, now);
      expect_opens(left, operations);
    });
  }
}

TEST(power_cut, after_an_orderly_end_takes_nothing_at_any_level) {
  for (const std::uint64_t seed : seeds(5)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    journal_rig rig(keys, only_written());
    recorded_life(rig, seed, 80);
    std::mt19937_64 random(seed);
    journal_rig left(rig, rig.disk().snapshot().after(cut::keeps_nothing, random));
    expect_opens(left, journal_rig::everything);
  }
}

}  // namespace
}  // namespace onceward::crash
