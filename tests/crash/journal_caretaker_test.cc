// What the journal's threads do while they are in each other's way: the caretaker moves or forgets a record that is
// just being changed, or one changes while it is moved. The parts of the journal are run in steps, in the order that is
// dangerous, or the disk holds its syncs so that a thread stands still where it matters.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "collecting_sink.h"
#include "engine_rig.h"
#include "journal_rig.h"
#include "reply_text.h"
#include "sample_commands.h"
#include "simulated_disk.h"
#include "stores/journal/recovery.h"

namespace onceward::crash {
namespace {

using namespace std::chrono_literals;
using conformance::key_of;

journal::options without_a_cache() {
  journal::options chosen = small_journal();
  chosen.cache_bytes = 0;
  return chosen;
}

claim brief_claim(std::uint64_t number) {
  claim what = conformance::claim_of(number, number);
  what.lease = 1s;
  what.retention = 1s;
  return what;
}

// ---- Moving a record -----------------------------------------------------------------------------------------------

TEST(journal_committer, does_not_move_a_record_that_has_a_change_on_its_way) {
  simulated_disk disk;
  engine_rig rig(disk, small_journal());
  rig.ask(conformance::claim_of(0, 1));
  const journal::location from = rig.place_of(key_of(0));

  // The committer finds the change and the move together.
  const auto changed = rig.submit(conformance::completed_of(0, 1, std::string(5'000, 'b')));
  EXPECT_TRUE(rig.shared().rewrite_durably({{rig.rewrite_of(from)}, 0}));
  EXPECT_EQ(conformance::kind_of(rig.wait(changed)), "applied");
  EXPECT_EQ(entries_of(key_of(0), disk), 2u);  // The claim and its outcome.
}

TEST(journal_committer, does_not_move_an_old_entry_over_a_newer_one) {
  simulated_disk disk;
  engine_rig rig(disk, without_a_cache());
  rig.ask(conformance::claim_of(0, 1));
  rig.ask(conformance::unknown_of(0, 1));
  const journal::location from = rig.place_of(key_of(0));
  const journal::rewrite as_it_was = rig.rewrite_of(from);
  rig.ask(conformance::completed_of(0, 1));

  EXPECT_TRUE(rig.shared().rewrite_durably({{as_it_was}, 0}));
  EXPECT_EQ(conformance::kind_of(rig.ask(find{key_of(0)})), "record_completed");
  EXPECT_EQ(entries_of(key_of(0), disk), 3u);
}

// A log whose oldest segment has more that lives than one group takes, and no file to spare.
void fill(simulated_disk& disk) {
  constexpr std::uint64_t kept = 8;
  journal_rig rig(kept + 1);
  ASSERT_FALSE(rig.open());
  for (std::uint64_t key = 0; key < kept; ++key) {
    rig.run(conformance::claim_of(key, key));
    rig.run(conformance::completed_of(key, key, std::string(3'000, 'k')));
  }
  for (std::uint64_t attempt = 100; rig.newest_segment().generation < 4; ++attempt) {
    rig.run(conformance::claim_of(kept, attempt));
    rig.run(conformance::release_of(kept, attempt));
  }
  rig.close();
  disk.holds() = rig.disk().snapshot();
  for (const std::string& file : disk.holds().names()) {
    const auto header = journal::decode_segment_header(disk.holds().read(file).first(journal::block_bytes));
    if (header && !*header) disk.holds().erase(file);
  }
}

// So that commands come in between, and none waits for a whole segment to be moved.
TEST(journal_caretaker, waits_for_each_group_that_it_moves_before_it_sends_the_next) {
  simulated_disk disk;
  fill(disk);
  journal::options chosen = small_journal();
  chosen.bytes_limit = 4 * chosen.segment_bytes;
  engine_rig rig(disk, chosen);

  // In the committer's place.
  std::uint64_t groups = 0;
  std::uint64_t on_their_way_max = 0;
  rig.shared().commit_now = [&] {
    journal::commit_batch taken;
    rig.shared().commits.take(taken);
    for (const journal::rewrite_group& group : taken.rewrites)
      rig.shared().segments.give_back(group.space_promised);
    for (const journal::barrier& reached : taken.barriers)
      reached.passed->set_value(true);
    const std::uint64_t on_their_way = taken.rewrites.size();
    groups += on_their_way;
    on_their_way_max = std::max(on_their_way_max, on_their_way);
  };
  rig.caretaker().step();
  EXPECT_GT(groups, 1u);
  EXPECT_EQ(on_their_way_max, 1u);
}

// ---- Letting a record go from memory -------------------------------------------------------------------------------

TEST(journal_index, keeps_a_record_in_memory_that_has_another_change_on_its_way) {
  simulated_disk disk;
  engine_rig rig(disk, without_a_cache());
  rig.ask(conformance::claim_of(0, 1));

  std::uint64_t completed = 0;
  std::uint64_t found = 0;
  // Behind the batch with the first change comes the second; while that is written, the first is in the log.
  disk.at_next_sync([&] {
    completed = rig.submit(conformance::completed_of(0, 1));
    disk.at_next_sync([&] {
      found = rig.submit(find{key_of(0)});
      rig.cold_reader().step();
    });
  });
  EXPECT_EQ(conformance::kind_of(rig.ask(conformance::unknown_of(0, 1))), "applied");
  EXPECT_EQ(conformance::kind_of(rig.wait(completed)), "applied");
  EXPECT_EQ(conformance::kind_of(rig.wait(found)), "record_completed");
}

// ---- Forgetting a record -------------------------------------------------------------------------------------------

// A claim whose lease has run out and whose record has expired is in flight in the log. Forgotten as it is, it would be
// back at the next opening.
TEST(journal_caretaker, forgets_no_claim_before_the_log_knows_that_it_has_expired) {
  journal::options chosen = small_journal();
  chosen.bytes_limit = 2 * chosen.segment_bytes;
  simulated_disk disk;
  {
    engine_rig rig(disk, chosen);
    rig.ask(brief_claim(0));
  }
  engine_rig rig(disk, chosen);
  journal::segment_set& space = rig.shared().segments;
  const std::uint64_t all = space.free_bytes();
  const auto purge_now = [&] {
    const auto asked = rig.submit(purge{});
    rig.caretaker().step();
    return std::get<purged>(rig.wait(asked)).records;
  };

  // There is no space to write that it is unknown, and none to write that it has expired.
  ASSERT_TRUE(space.promise(all, 0));
  ASSERT_TRUE(journal::abandon_claims(rig.shared()));
  rig.pause(1h);
  EXPECT_EQ(purge_now(), 0u);
  EXPECT_EQ(entries_of(key_of(0), disk), 1u);
  space.give_back(all);
  EXPECT_EQ(purge_now(), 1u);
  EXPECT_EQ(entries_of(key_of(0), disk), 2u);
}

TEST(journal_caretaker, waits_until_the_log_knows_what_has_expired_and_forgets_it_then) {
  constexpr std::uint64_t claims = 20;
  simulated_disk disk;
  conformance::settable_clock clock;
  auto opened = journal::journal::open(disk.mount(), small_journal(), [&clock] { return clock.now(); });
  ASSERT_TRUE(opened);
  conformance::collecting_sink sink;
  for (std::uint64_t key = 0; key < claims; ++key)
    sink.ask(**opened, brief_claim(key));
  // For what the claims woke the caretaker is done once it has answered twice: it must find nothing expired by itself.
  for (int i = 0; i < 2; ++i)
    ASSERT_EQ(conformance::kind_of(sink.ask(**opened, purge{})), "purged");
  clock.advance(1h);

  disk.hold_syncs(true);
  const auto asked = sink.submit(**opened, purge{});
  disk.wait_for_held_sync();
  disk.hold_syncs(false);
  const reply answer = sink.wait(asked);
  ASSERT_EQ(conformance::kind_of(answer), "purged");
  EXPECT_EQ(std::get<purged>(answer).records, claims);
}

// ---- Finding space -------------------------------------------------------------------------------------------------

constexpr std::uint64_t many_keys = 300;

// Claims until there is no space for more. How many.
std::uint64_t claim_until_full(journal_rig& rig, std::uint64_t from) {
  std::uint64_t key = from;
  while (key < many_keys && std::holds_alternative<claim_granted>(rig.run(conformance::claim_of(key, key))))
    ++key;
  EXPECT_LT(key, many_keys);
  EXPECT_GT(key, from);
  return key;
}

complete brief_outcome(std::uint64_t key, std::size_t bytes) {
  complete what = conformance::completed_of(key, key, std::string(bytes, 'o'));
  std::get<outcome_completed>(what.outcome).retention = 1s;
  std::get<outcome_completed>(what.outcome).retention_tombstone = 1s;
  return what;
}

// A record in the oldest segment lives on; it must be moved before there is space.
TEST(journal_caretaker, finds_space_again_when_what_filled_the_journal_has_expired) {
  journal_rig rig(many_keys);
  ASSERT_FALSE(rig.open(journal::run_by::steps));
  rig.run(conformance::claim_of(0, 0));
  rig.run(conformance::completed_of(0, 0));
  std::uint64_t from = 1;
  for (int turn = 0; turn < 3; ++turn) {
    const std::uint64_t to = claim_until_full(rig, from);
    for (std::uint64_t key = from; key < to; ++key)
      EXPECT_EQ(conformance::kind_of(rig.run(brief_outcome(key, 500))), "applied") << key;
    rig.pause(1h);
    EXPECT_EQ(conformance::kind_of(rig.run(purge{})), "purged");
    EXPECT_TRUE(rig.opened().statistics().accepts_claims);
    from = to;
  }
  EXPECT_EQ(rig.compare(), "");
}

// Outcomes that are longer than what was promised to them take whatever space is left.
TEST(journal_caretaker, finds_space_again_when_long_outcomes_that_filled_the_journal_have_expired) {
  journal_rig rig(many_keys);
  ASSERT_FALSE(rig.open(journal::run_by::steps));
  rig.run(conformance::claim_of(0, 0));
  rig.run(conformance::completed_of(0, 0));
  const std::uint64_t to = claim_until_full(rig, 1);
  std::uint64_t refused = 0;
  for (std::uint64_t key = 1; key < to; ++key) {
    rig.run(conformance::unknown_of(key, key));
    if (std::holds_alternative<store_failure>(rig.run(brief_outcome(key, 7'000)))) ++refused;
  }
  EXPECT_GT(refused, 0u);
  rig.pause(48h);
  EXPECT_EQ(conformance::kind_of(rig.run(purge{})), "purged");
  EXPECT_TRUE(rig.opened().statistics().accepts_claims);
  EXPECT_EQ(rig.compare(), "");
}

}  // namespace
}  // namespace onceward::crash
