// Repair: out of a journal that refuses to open comes one that opens with everything that could be proven, in which
// nothing is free that may not be; and the old files are all still there, wherever the repair was cut short.

#include "stores/journal_check/repair.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/checksum.h"
#include "collecting_sink.h"
#include "damaged_journal.h"
#include "effort.h"
#include "journal_rig.h"
#include "reply_text.h"
#include "sample_commands.h"
#include "settable_clock.h"
#include "simulated_disk.h"
#include "stores/journal/sectors.h"
#include "stores/journal_check/verify.h"

namespace onceward::crash {
namespace {

using journal::repair_report;
using outcome = journal::repair_report::outcome;

wall_time now() {
  static const conformance::settable_clock clock;
  return clock.now() + std::chrono::seconds{30};
}

tl::expected<repair_report, journal::open_error> repair(simulated_disk& disk) {
  const auto mounted = disk.mount();
  return journal::repair(*mounted, now(), {});
}

// What is repaired, or a failed test.
platter repaired(const platter& damaged) {
  simulated_disk disk(damaged);
  const auto report = repair(disk);
  EXPECT_TRUE(report) << report.error().message;
  if (report) {
    EXPECT_EQ(report->what, outcome::repaired);
  }
  return disk.snapshot();
}

void flip(platter& disk, const std::string& file, std::size_t byte) {
  disk.bytes_of(file)[byte] ^= std::byte{1};
}

// The batch of the n-th entry of the key.
placed_entry entry_of(std::uint64_t key, std::size_t number) {
  for (const placed_entry& each : entries_of(sample_journal())) {
    if (each.key == key && number-- == 0) return each;
  }
  ADD_FAILURE();
  return {};
}

// Loses the entry and all that its batch says.
platter without(const placed_entry& entry) {
  platter damaged = sample_journal();
  flip(damaged, entry.file, entry.begin + 100);
  return damaged;
}

std::string kind_in(const std::string& text) {
  return text.substr(0, text.find_first_of(" {("));
}

// Whether every file of the one is in the other, under its name or the one that a repair gives it.
bool keeps_every_file(const platter& old, const platter& is) {
  for (const std::string& name : old.names()) {
    if (name.find(".repaired") != std::string::npos) continue;
    const auto bytes = old.read(name);
    if (std::all_of(bytes.begin(), bytes.end(), [](std::byte each) { return each == std::byte{0}; })) continue;
    const auto same = [&](const std::string& other) {
      const auto found = is.read(other);
      return other.starts_with(name) && std::equal(found.begin(), found.end(), bytes.begin(), bytes.end());
    };
    const auto names = is.names();
    if (std::none_of(names.begin(), names.end(), same)) return false;
  }
  return true;
}

TEST(repair, does_nothing_to_a_sound_journal) {
  simulated_disk disk(sample_journal());
  const auto report = repair(disk);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->what, outcome::was_sound);
  EXPECT_EQ(disk.operation_count(), 0u);
}

TEST(repair, of_a_batch_in_the_middle_loses_what_was_in_it_and_nothing_else) {
  const contents before = *contents_of(sample_journal());
  const platter damaged = without(entry_of(only_in_second, 1));
  ASSERT_FALSE(contents_of(damaged));
  simulated_disk disk(damaged);
  const auto report = repair(disk);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->records, keys_in_sample);
  // Its own claim, and one that has been in flight since before; the outcome of a third came later and is there.
  EXPECT_EQ(report->in_flight_doubtful, 2u);
  EXPECT_EQ(report->released_doubtful, 1u);
  EXPECT_EQ(report->unknown_doubtful, 1u);
  const auto after = contents_of(disk.snapshot());
  ASSERT_TRUE(after);
  for (const std::uint64_t key : {completed_early, churned, completed_last, completed_late, released_late})
    EXPECT_EQ(after->at(key), before.at(key)) << "key " << key;
  EXPECT_EQ(kind_in(after->at(only_in_second)), "record_unknown");
  EXPECT_TRUE(keeps_every_file(damaged, disk.snapshot()));
}

TEST(repair, takes_no_key_for_free_that_may_have_been_claimed_again) {
  // What is lost comes after its release; what is lost later than everything known of it concerns it, too.
  const platter left = repaired(without(entry_of(only_in_second, 0)));
  const auto after = contents_of(left);
  ASSERT_TRUE(after);
  EXPECT_EQ(kind_in(after->at(released_early)), "record_unknown");
  EXPECT_EQ(kind_in(after->at(in_flight_early)), "record_unknown");
  EXPECT_EQ(kind_in(after->at(released_late)), "record_released");
}

TEST(repair, grants_larger_fences_than_any_that_was_lost) {
  const std::uint64_t before = next_fence(sample_journal());
  const placed_entry last_claim = entry_of(completed_last, 0);
  platter damaged = without(last_claim);
  flip(damaged, last_claim.file, last_claim.end + 100);
  EXPECT_GE(next_fence(repaired(damaged)), before + journal::fence_margin / 2);
}

// The headers of batches and entries say enough without it.
TEST(repair, of_a_segment_header_loses_nothing) {
  const contents before = *contents_of(sample_journal());
  for (const written_segment& each : segments_of(sample_journal())) {
    for (const bool is_emptied : {false, true}) {
      platter damaged = sample_journal();
      flip(damaged, each.file, 30);
      if (is_emptied) std::fill_n(damaged.bytes_of(each.file).begin(), journal::block_bytes, std::byte{0});
      simulated_disk disk(damaged);
      const auto report = repair(disk);
      ASSERT_TRUE(report) << report.error().message;
      EXPECT_EQ(contents_of(disk.snapshot()), before) << each.file;
    }
  }
}

TEST(repair, of_a_stamp_or_of_padding_loses_nothing) {
  const contents before = *contents_of(sample_journal());
  const placed_entry entry = entry_of(completed_late, 0);
  for (const std::size_t byte : {entry.begin + 510, entry.end - 40}) {
    platter damaged = sample_journal();
    flip(damaged, entry.file, byte);
    EXPECT_EQ(contents_of(repaired(damaged)), before) << byte;
  }
}

TEST(repair, without_a_segment_goes_on_with_the_others) {
  const contents before = *contents_of(sample_journal());
  const auto segments = segments_of(sample_journal());
  for (std::size_t missing = 0; missing + 1 < segments.size(); ++missing) {
    platter damaged = sample_journal();
    damaged.erase(segments[missing].file);
    ASSERT_FALSE(contents_of(damaged));
    const auto after = contents_of(repaired(damaged));
    ASSERT_TRUE(after);
    EXPECT_EQ(after->at(completed_last), before.at(completed_last));
    EXPECT_EQ(after->at(churned), before.at(churned));
    EXPECT_EQ(kind_in(after->at(missing == 0 ? completed_early : only_in_second)), "record_absent");
    EXPECT_EQ(kind_in(after->at(missing == 0 ? only_in_second : completed_early)), "record_completed");
    // Without the first segment nothing older is known of any key, and nothing later than what is known is lost.
    EXPECT_EQ(kind_in(after->at(released_early)), missing == 0 ? "record_absent" : "record_unknown");
  }
}

TEST(repair, of_a_segment_that_is_there_twice_loses_nothing) {
  const contents before = *contents_of(sample_journal());
  const auto segments = segments_of(sample_journal());
  for (const written_segment& each : segments) {
    platter damaged = sample_journal();
    damaged.put("segment-000090", "");
    damaged.bytes_of("segment-000090") = damaged.bytes_of(each.file);
    ASSERT_FALSE(contents_of(damaged));
    // One of them damaged, too: what the other has counts.
    flip(damaged, each.file, journal::segment_header_bytes + 100);
    EXPECT_EQ(contents_of(repaired(damaged)), before);
  }
}

TEST(repair, of_files_that_were_cut_short_keeps_what_is_left) {
  const auto segments = segments_of(sample_journal());
  const contents before = *contents_of(sample_journal());
  for (const written_segment& each : segments) {
    const std::size_t whole = sample_journal().read(each.file).size();
    for (const std::size_t bytes :
         {std::size_t{0}, std::size_t{100}, journal::block_bytes, std::size_t{9'000}, std::size_t{32'768}, whole - 1}) {
      SCOPED_TRACE(each.file + " of " + std::to_string(bytes));
      platter damaged = sample_journal();
      damaged.bytes_of(each.file).resize(bytes);
      const auto after = contents_of(repaired(damaged));
      ASSERT_TRUE(after);
      for (const auto& [key, is] : *after) {
        const std::string kind = kind_in(is);
        if (kind != "record_unknown" && kind != "record_absent") {
          EXPECT_EQ(is, before.at(key));
        }
      }
    }
  }
}

TEST(repair, leaves_foreign_files_alone_and_refuses_a_later_version) {
  platter damaged = without(entry_of(only_in_second, 1));
  damaged.put("secret", "kept by somebody else");
  damaged.put("segment-000001.bak", "whatever");
  const platter left = repaired(damaged);
  EXPECT_EQ(left.read("secret").size(), 21u);
  EXPECT_EQ(left.read("segment-000001.bak").size(), 8u);

  const std::string file = segments_of(sample_journal()).front().file;
  auto& bytes = damaged.bytes_of(file);
  bytes[16] = std::byte{journal::format_version + 1};
  const std::uint64_t checksum =
      base::checksum({reinterpret_cast<const char*>(bytes.data()), journal::sector_bytes - 8});
  for (std::size_t i = 0; i < 8; ++i)
    bytes[journal::sector_bytes - 8 + i] = static_cast<std::byte>(checksum >> (8 * i));
  simulated_disk disk(damaged);
  const auto refused = repair(disk);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, errc::version);
  EXPECT_EQ(disk.operation_count(), 0u);
}

TEST(repair, of_a_journal_that_is_open_is_refused) {
  journal_rig rig(keys_in_sample);
  journal_rig opened(rig, sample_journal());
  ASSERT_FALSE(opened.open(journal::run_by::steps));
  const auto refused = repair(opened.disk());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, errc::busy);
}

TEST(repair, of_a_second_damage_keeps_the_files_of_the_first) {
  const platter first = repaired(without(entry_of(only_in_second, 1)));
  platter second = first;
  flip(second, segments_of(first).front().file, journal::segment_header_bytes + 100);
  const platter left = repaired(second);
  EXPECT_TRUE(keeps_every_file(second, left));
  EXPECT_TRUE(contents_of(left));
}

// Lets go of the first segment, as if everything in it had been written anew or had expired.
platter with_first_segment_let_go() {
  platter disk = sample_journal();
  const written_segment last = segments_of(disk).back();
  journal::segment_header header = last.header;
  header.first_generation = 2;
  journal::encode(header, std::span(disk.bytes_of(last.file)).first(journal::block_bytes));
  return disk;
}

TEST(repair, finds_what_was_lost_in_segments_that_were_let_go_of) {
  const contents before = *contents_of(sample_journal());
  const platter let_go = with_first_segment_let_go();
  EXPECT_EQ(kind_in(contents_of(let_go)->at(completed_early)), "record_absent");

  // Where nothing is lost, what was let go of stays so.
  platter harmless = let_go;
  const placed_entry entry = entry_of(only_in_second, 1);
  flip(harmless, entry.file, entry.end - 40);
  EXPECT_EQ(kind_in(contents_of(repaired(harmless))->at(completed_early)), "record_absent");

  platter damaged = let_go;
  flip(damaged, entry.file, entry.begin + 100);
  const platter left = repaired(damaged);
  const contents after = *contents_of(left);
  EXPECT_EQ(after.at(completed_early), before.at(completed_early));
  for (const std::uint64_t key : {unknown_early, released_early, in_flight_early})
    EXPECT_EQ(kind_in(after.at(key)), "record_unknown") << "key " << key;
  EXPECT_EQ(after.at(completed_late), before.at(completed_late));
  EXPECT_TRUE(keeps_every_file(damaged, left));
}

// What is lost cannot have been about a record that had expired before it was written, but about a new one.
TEST(repair, forgets_what_had_expired_before_the_loss_and_keeps_what_expired_since) {
  journal_rig rig(keys_in_sample);
  ASSERT_FALSE(rig.open(journal::run_by::steps));
  rig.run(conformance::claim_of(0, 1));
  rig.run(conformance::release_of(0, 1));
  rig.pause(conformance::retention / 2);
  rig.run(conformance::claim_of(1, 2));
  rig.run(conformance::release_of(1, 2));
  rig.pause(conformance::retention / 2 + std::chrono::milliseconds{1});
  rig.run(conformance::claim_of(2, 3));
  rig.run(conformance::claim_of(3, 4));  // To be lost.
  rig.run(conformance::claim_of(4, 5));
  rig.pause(conformance::retention * 3 / 4);
  rig.close();
  const auto entries = entries_of(rig.disk().snapshot());
  flip(rig.disk().holds(), entries[5].file, entries[5].begin + 100);
  const auto mounted = rig.disk().mount();
  const wall_time later = now() - std::chrono::seconds{30} + conformance::retention * 7 / 4;
  ASSERT_TRUE(journal::repair(*mounted, later, {}));

  journal_rig opened(rig, rig.disk().snapshot());
  ASSERT_FALSE(opened.open(journal::run_by::steps));
  conformance::collecting_sink sink;
  const auto kind_of = [&](std::uint64_t key) {
    const std::uint64_t tag = sink.submit(opened.opened(), find{conformance::key_of(key)});
    while (opened.opened().has_work(journal::journal::part::cold_reader))
      opened.opened().step(journal::journal::part::cold_reader);
    while (opened.opened().has_work(journal::journal::part::committer))
      opened.opened().step(journal::journal::part::committer);
    return conformance::kind_of(sink.wait(tag));
  };
  EXPECT_EQ(kind_of(0), "record_absent");
  // By itself it would have expired since; by then it may have been another, which would not have.
  EXPECT_EQ(kind_of(1), "record_unknown");
  EXPECT_EQ(kind_of(2), "record_unknown");
  EXPECT_EQ(kind_of(3), "record_absent");
}

// ---- Cut short ----

struct repaired_life {
  disk_history history;
  contents after;
};

repaired_life recorded_repair(const platter& damaged) {
  simulated_disk disk(damaged);
  disk.keep_history();
  EXPECT_TRUE(repair(disk));
  const auto after = contents_of(disk.snapshot());
  EXPECT_TRUE(after);
  return {disk.history(), after.value_or(contents{})};
}

// Some that the journal refuses for different reasons.
std::vector<platter> damaged_journals() {
  const auto segments = segments_of(sample_journal());
  std::vector<platter> all{without(entry_of(only_in_second, 1))};
  all.push_back(sample_journal());
  all.back().erase(segments[1].file);
  all.push_back(sample_journal());
  all.back().erase(segments[0].file);
  all.push_back(sample_journal());
  flip(all.back(), segments[2].file, 3);
  all.push_back(sample_journal());
  all.back().bytes_of(segments[0].file).resize(20'000);
  return all;
}

void expect_old_or_new(const platter& left, const platter& damaged, const contents& after, bool& opened) {
  note_image();
  EXPECT_TRUE(keeps_every_file(damaged, left));
  if (const auto is = contents_of(left)) {
    EXPECT_EQ(*is, after);
    opened = true;
    return;
  }
  simulated_disk disk(left);
  const auto mounted = disk.mount();
  const auto verified = journal::verify(*mounted, now());
  ASSERT_TRUE(verified) << verified.error().message;
  EXPECT_FALSE(verified->is_sound());
  const auto again = journal::repair(*mounted, now(), {});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_NE(again->what, outcome::was_sound);
  EXPECT_EQ(contents_of(disk.snapshot()), after);
  EXPECT_TRUE(keeps_every_file(damaged, disk.snapshot()));
}

TEST(repair, cut_short_after_any_operation_leaves_the_old_journal_or_the_new_one) {
  std::mt19937_64 random(1);
  for (const platter& damaged : damaged_journals()) {
    const repaired_life life = recorded_repair(damaged);
    platter at = life.history.before;
    bool opened = false;
    for (std::size_t operations = 0;; ++operations) {
      SCOPED_TRACE("after operation " + std::to_string(operations));
      const bool was_opened = opened;
      expect_old_or_new(at, damaged, life.after, opened);
      EXPECT_TRUE(opened || !was_opened);
      bool any = false;
      for (const cut kind : every_cut)
        expect_old_or_new(at.after(kind, random), damaged, life.after, any);
      at.for_each_cut(4, [&](platter left) { expect_old_or_new(left, damaged, life.after, any); });
      if (testing::Test::HasFailure() || operations == life.history.operations.size()) break;
      at.apply(life.history.operations[operations]);
    }
    EXPECT_TRUE(opened);
  }
}

TEST(repair, refused_by_its_disk_at_any_call_can_be_done_again) {
  for (const platter& damaged : damaged_journals()) {
    const contents after = *contents_of(repaired(damaged));
    for (const bool forever : {false, true}) {
      for (const errc reason : {errc::io, errc::full}) {
        bool reached = true;
        for (std::uint64_t call = 0; reached && !testing::Test::HasFailure(); ++call) {
          SCOPED_TRACE("call " + std::to_string(call));
          simulated_disk disk(damaged);
          disk.fail_call(call, {reason, reason == errc::io ? EIO : ENOSPC}, forever);
          const auto report = repair(disk);
          reached = disk.calls() > call;
          if (!report) {
            EXPECT_FALSE(report.error().message.empty());
          }
          disk.fail_call(~std::uint64_t{0}, {}, false);
          bool opened = false;
          // What could not be read that one time is lost to that repair.
          const auto is = contents_of(disk.snapshot());
          if (is && *is != after) {
            EXPECT_TRUE(report);
            EXPECT_TRUE(keeps_every_file(damaged, disk.snapshot()));
            continue;
          }
          expect_old_or_new(disk.snapshot(), damaged, after, opened);
        }
      }
    }
  }
}

TEST(repair, without_space_changes_nothing_and_says_what_it_needs) {
  const platter damaged = without(entry_of(only_in_second, 1));
  simulated_disk disk(damaged);
  disk.refuse_new_files(true);
  const auto report = repair(disk);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().reason, errc::full);
  EXPECT_NE(report.error().message.find("2 files of 65536 bytes"), std::string::npos) << report.error().message;
  EXPECT_EQ(disk.snapshot().names(), damaged.names());
}

// ---- Any byte ----

// What the journal may say of the key after the batches with these bytes were lost: what it said before; unknown; and
// nothing only where nothing else was known of it.
void expect_honest(const contents& after, const contents& before, const std::vector<placed_entry>& entries,
                   const std::string& file, std::size_t byte) {
  for (const auto& [key, is] : after) {
    bool is_lost = false;
    bool is_known = false;
    const placed_entry* latest = nullptr;
    std::uint64_t lost = 0;
    for (const placed_entry& each : entries) {
      const bool hit = each.file == file && byte >= each.begin && byte < each.end;
      if (hit) lost = each.sequence;
      if (each.key != key) continue;
      is_lost = hit;
      is_known = is_known || !hit;
      latest = &each;
    }
    const std::string kind = kind_in(is);
    if (is == before.at(key)) continue;
    if (kind == "record_absent") {
      EXPECT_FALSE(is_known) << "key " << key;
    } else {
      EXPECT_EQ(kind, "record_unknown") << "key " << key << " " << is << " was " << before.at(key);
      const bool may_be_superseded = latest->sequence < lost || file == entries.back().file;
      EXPECT_TRUE(is_lost || (may_be_superseded && latest->kind != "record_completed")) << "key " << key;
    }
  }
}

TEST(repair, after_any_byte_was_flipped_tells_nothing_wrong) {
  const contents before = *contents_of(sample_journal());
  const auto entries = entries_of(sample_journal());
  const std::size_t stride = effort() > 1 ? 1 : 53;
  for (const written_segment& each : segments_of(sample_journal())) {
    for (std::size_t byte = 0; byte < each.bytes && !testing::Test::HasFailure(); byte += stride) {
      SCOPED_TRACE(each.file + " byte " + std::to_string(byte));
      platter damaged = sample_journal();
      flip(damaged, each.file, byte);
      note_image();
      simulated_disk disk(damaged);
      const auto report = repair(disk);
      ASSERT_TRUE(report) << report.error().message;
      EXPECT_EQ(report->what == outcome::was_sound, contents_of(damaged).has_value());
      const auto after = contents_of(disk.snapshot());
      ASSERT_TRUE(after);
      expect_honest(*after, before, entries, each.file, byte);
    }
  }
}

TEST(repair, after_any_blocks_were_lost_tells_nothing_wrong) {
  const contents before = *contents_of(sample_journal());
  const auto entries = entries_of(sample_journal());
  for (const std::uint64_t seed : seeds(60)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    platter damaged = sample_journal();
    const auto segments = segments_of(sample_journal());
    for (std::uint64_t blows = 1 + random() % 6; blows > 0; --blows) {
      const written_segment& hit = segments[random() % segments.size()];
      auto& bytes = damaged.bytes_of(hit.file);
      const std::size_t begin = random() % hit.bytes / journal::sector_bytes * journal::sector_bytes;
      const std::size_t length = std::min(bytes.size() - begin, (1 + random() % 16) * journal::sector_bytes);
      const bool is_zeros = random() % 2 == 0;
      for (std::size_t i = begin; i < begin + length; ++i)
        bytes[i] = is_zeros ? std::byte{0} : static_cast<std::byte>(random());
    }
    note_image();
    simulated_disk disk(damaged);
    const auto report = repair(disk);
    ASSERT_TRUE(report) << report.error().message;
    const auto after = contents_of(disk.snapshot());
    ASSERT_TRUE(after);
    // The end of a log that is lost without a trace looks like its end, to opening and to everybody.
    const auto& all = report->before.findings;
    const bool end_is_doubted = std::any_of(all.begin(), all.end(), [&](const journal::finding& each) {
      return each.file == segments.back().file && each.loses_entries();
    });
    const std::uint64_t end = end_is_doubted ? entries.back().sequence + 1 : report->before.next_sequence;
    for (const auto& [key, is] : *after) {
      const std::string kind = kind_in(is);
      if (kind == "record_unknown" || kind == "record_absent") continue;
      const bool is_behind_end = std::any_of(entries.begin(), entries.end(), [&](const placed_entry& each) {
        return each.key == key && each.sequence >= end;
      });
      if (is_behind_end) continue;
      EXPECT_TRUE(is == before.at(key)) << "key " << key << " " << is << " was " << before.at(key);
    }
  }
}

TEST(repair, does_not_believe_the_end_of_a_segment_in_which_something_is_lost) {
  // The last is released, and what was lost may have been behind it.
  const placed_entry claimed = entry_of(completed_last, 0);
  platter damaged = without(claimed);
  EXPECT_EQ(kind_in(contents_of(repaired(damaged))->at(released_late)), "record_unknown");
}

}  // namespace
}  // namespace onceward::crash
