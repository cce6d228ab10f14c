// The limit of a journal's files: it holds where the disk does not remove what it should, where a segment is just being
// begun, and for a journal that is opened with a lower one.

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "journal_rig.h"
#include "reply_text.h"
#include "sample_commands.h"
#include "simulated_disk.h"
#include "stores/journal/log_scan.h"
#include "stores/journal/segment_header.h"
#include "stores/journal/segments.h"

namespace onceward::crash {
namespace {

using namespace std::chrono_literals;

constexpr journal::io_error broken{errc::io, EIO};
constexpr std::uint64_t segment_bytes = 64u << 10;
constexpr std::uint64_t files_max = 4;

std::uint64_t bytes_on(const simulated_disk& disk) {
  const platter now = disk.snapshot();
  std::uint64_t bytes = 0;
  for (const std::string& file : now.names())
    bytes += now.read(file).size();
  return bytes;
}

// ---- While it is open -----------------------------------------------------------------------------------------------

// The files of a log without a log in them.
class files_of_a_log : public testing::Test {
 protected:
  std::shared_ptr<journal::segment> activate() {
    const auto active = segments_.activate_next(++sequence_, 0, wall_time{});
    EXPECT_TRUE(active);
    return *active;
  }

  void add_files_until_refused() {
    while (segments_.add_file()) {
    }
  }

  void expect_within_limit() {
    EXPECT_EQ(segments_.bytes_on_disk(), bytes_on(disk_));
    EXPECT_LE(bytes_on(disk_), files_max * segment_bytes);
  }

  simulated_disk disk_;
  const std::unique_ptr<journal::disk> mounted_ = disk_.mount();
  journal::segment_set segments_{*mounted_, segment_bytes, files_max};

 private:
  std::uint64_t sequence_ = 0;
};

TEST_F(files_of_a_log, leave_room_for_an_index_file_that_could_not_be_removed) {
  ASSERT_TRUE(segments_.add_file() && segments_.add_file());
  const auto sealed = activate();
  activate();
  ASSERT_TRUE(segments_.write_index(sealed->where.name, *segments_.sealed(*sealed), {}));
  ASSERT_TRUE(segments_.add_file());

  disk_.fail_call(disk_.calls(), broken, false);
  EXPECT_FALSE(segments_.add_file());
  expect_within_limit();
  EXPECT_TRUE(segments_.add_file());
  expect_within_limit();
  EXPECT_EQ(bytes_on(disk_), files_max * segment_bytes);
}

TEST_F(files_of_a_log, leave_room_for_one_whose_making_failed_and_that_could_not_be_removed) {
  // Creating, preallocating, renaming, syncing the directory.
  for (std::uint64_t calls_before = 0; calls_before < 4; ++calls_before) {
    disk_.fail_call(disk_.calls() + calls_before, broken, true);
    EXPECT_FALSE(segments_.add_file());
    disk_.fail_call(~std::uint64_t{0}, {}, false);
    EXPECT_LE(bytes_on(disk_), segments_.bytes_on_disk());
  }
  add_files_until_refused();
  EXPECT_LE(bytes_on(disk_), files_max * segment_bytes);
  EXPECT_EQ(segments_.bytes_on_disk(), files_max * segment_bytes);
}

TEST_F(files_of_a_log, take_all_the_room_again_where_one_whose_making_failed_was_removed) {
  for (std::uint64_t calls_before = 0; calls_before < 4; ++calls_before) {
    disk_.fail_call(disk_.calls() + calls_before, broken, false);
    EXPECT_FALSE(segments_.add_file());
    expect_within_limit();
  }
  add_files_until_refused();
  expect_within_limit();
  EXPECT_EQ(bytes_on(disk_), files_max * segment_bytes);
}

// The caretaker looks for space while the committer waits for the disk.
TEST_F(files_of_a_log, are_not_one_more_while_a_segment_is_begun) {
  add_files_until_refused();
  disk_.at_next_sync([&] { EXPECT_FALSE(segments_.add_file()); });
  activate();
  EXPECT_FALSE(segments_.add_file());
  expect_within_limit();
}

// ---- When it is opened ----------------------------------------------------------------------------------------------

constexpr std::uint64_t keys = 40;

journal::options limited_to(std::uint64_t files) {
  journal::options chosen = small_journal();
  chosen.bytes_limit = files * chosen.segment_bytes;
  return chosen;
}

void complete_all(journal_rig& rig) {
  for (std::uint64_t key = 0; key < keys; ++key) {
    rig.run(conformance::claim_of(key, key));
    rig.run(conformance::completed_of(key, key, std::string(5'000, 'k')));
  }
}

// Until a segment of this generation is begun.
void fill_segments(journal_rig& rig, std::uint64_t generation) {
  for (std::uint64_t attempt = 100; rig.newest_segment().generation < generation; ++attempt) {
    rig.run(conformance::claim_of(0, attempt));
    rig.run(conformance::release_of(0, attempt));
  }
}

std::uint64_t files_on(const simulated_disk& disk, bool (*counts)(const std::string& name)) {
  const std::vector<std::string> names = disk.snapshot().names();
  return static_cast<std::uint64_t>(std::count_if(names.begin(), names.end(), counts));
}

std::uint64_t segment_files_on(const simulated_disk& disk) {
  return files_on(disk, [](const std::string& name) { return journal::number_of_segment_file(name) != 0; });
}

std::uint64_t index_files_on(const simulated_disk& disk) {
  return files_on(disk, [](const std::string& name) { return name.ends_with(".index"); });
}

void put_unused_files(platter& on, std::uint64_t count) {
  for (std::uint64_t number = 0; number < count; ++number)
    on.put(journal::segment_file_name(900 + number), std::string(segment_bytes, '\0'));
}

// A log of two segments and the index file of one, with as many files as there may be, and `more`.
void make_files(journal_rig& rig, std::uint64_t more) {
  EXPECT_FALSE(rig.open(journal::run_by::steps));
  rig.run(conformance::claim_of(1, 1));
  rig.run(conformance::completed_of(1, 1));
  fill_segments(rig, 2);
  rig.close();
  put_unused_files(rig.disk().holds(), files_max + more - segment_files_on(rig.disk()));
  EXPECT_EQ(index_files_on(rig.disk()), 1u);
}

TEST(a_limit, lets_go_of_unused_files_and_index_files_beyond_it_at_the_opening) {
  for (const std::uint64_t more : {0u, 1u, 3u}) {
    journal_rig rig(keys, limited_to(files_max));
    make_files(rig, more);
    ASSERT_GT(bytes_on(rig.disk()), files_max * segment_bytes);
    ASSERT_FALSE(rig.open(journal::run_by::steps));
    EXPECT_EQ(rig.compare_after_opening(), "");
    EXPECT_EQ(rig.opened().statistics().bytes, files_max * segment_bytes);
    EXPECT_EQ(bytes_on(rig.disk()), files_max * segment_bytes);
  }
}

TEST(a_limit, holds_after_an_opening_in_which_any_call_of_the_disk_fails_or_there_is_none) {
  journal_rig past(keys, limited_to(files_max));
  make_files(past, 1);
  std::uint64_t refused = 0;
  for (std::uint64_t number = 0;; ++number) {
    SCOPED_TRACE("call " + std::to_string(number));
    journal_rig rig(past, past.disk().snapshot());
    rig.disk().fail_call(number, broken, false);
    if (rig.open(journal::run_by::steps)) {
      ++refused;
    } else {
      EXPECT_LE(rig.opened().statistics().bytes, files_max * segment_bytes);
      EXPECT_LE(bytes_on(rig.disk()), files_max * segment_bytes);
    }
    if (rig.disk().calls() <= number) break;
  }
  EXPECT_GT(refused, 0u);
}

TEST(a_limit, below_the_log_leaves_a_file_to_empty_old_segments_into) {
  journal_rig rig(keys, limited_to(12));
  ASSERT_FALSE(rig.open(journal::run_by::steps));
  complete_all(rig);
  rig.close();
  put_unused_files(rig.disk().holds(), 3);
  const std::uint64_t kept = rig.newest_segment().generation;
  ASSERT_GT(kept, files_max);
  ASSERT_EQ(rig.newest_segment().first_generation, 1u);

  rig.set_bytes_limit(files_max * segment_bytes);
  ASSERT_FALSE(rig.open(journal::run_by::steps));
  EXPECT_EQ(rig.compare_after_opening(), "");
  EXPECT_EQ(segment_files_on(rig.disk()), kept + 1);
  EXPECT_EQ(index_files_on(rig.disk()), 0u);

  // What is in it expires, and its files go at the next openings.
  rig.pause(48h);
  fill_segments(rig, kept + 2);
  EXPECT_TRUE(rig.opened().statistics().accepts_claims);
  rig.close();
  ASSERT_FALSE(rig.open(journal::run_by::steps));
  EXPECT_EQ(rig.compare_after_opening(), "");
  EXPECT_LE(bytes_on(rig.disk()), files_max * segment_bytes);
}

// The process before was killed when it had let go of old segments by the header of a new one and before that was
// durable: a power cut may bring them back.
TEST(a_limit, takes_no_file_that_a_power_cut_makes_a_segment_of_again) {
  journal_rig rig(keys, limited_to(12));
  rig.disk().keep_history();
  ASSERT_FALSE(rig.open(journal::run_by::steps));
  complete_all(rig);
  rig.pause(48h);
  ASSERT_EQ(conformance::kind_of(rig.run(purge{})), "purged");
  fill_segments(rig, rig.newest_segment().generation + 1);
  rig.close();

  const disk_history history = rig.disk().history();
  platter killed;
  platter now = history.before;
  for (const operation& each : history.operations) {
    now.apply(each);
    const auto* written = std::get_if<write_sectors>(&each);
    if (written == nullptr || written->offset != 0) continue;
    if (const auto header = journal::decode_segment_header(written->bytes); header && *header) killed = now;
  }

  rig.set_bytes_limit(files_max * segment_bytes);
  journal_rig opening(rig, std::move(killed));
  const std::uint64_t files_before = segment_files_on(opening.disk());
  opening.disk().keep_history();
  ASSERT_FALSE(opening.open(journal::run_by::steps));
  ASSERT_LT(segment_files_on(opening.disk()), files_before);
  platter cut_off = opening.disk().history().before;
  for (const operation& each : opening.disk().history().operations) {
    cut_off.apply(each);
    cut_off.for_each_cut(1, [&](platter left) {
      journal_rig again(rig, std::move(left));
      const auto refused = again.open(journal::run_by::steps);
      EXPECT_FALSE(refused) << refused->message;
    });
  }
}

}  // namespace
}  // namespace onceward::crash
