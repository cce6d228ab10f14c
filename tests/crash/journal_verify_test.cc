// The check of a journal that nobody has open: it finds every damage that opening would refuse, says where, and changes
// nothing.

#include "stores/journal_check/verify.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "damaged_journal.h"
#include "effort.h"
#include "journal_rig.h"
#include "settable_clock.h"
#include "simulated_disk.h"
#include "stores/journal/log_scan.h"
#include "stores/journal/sectors.h"

namespace onceward::crash {
namespace {

using journal::finding;
using journal::verification;

wall_time now() {
  static const conformance::settable_clock clock;
  return clock.now() + std::chrono::seconds{30};
}

tl::expected<verification, journal::open_error> verify(const platter& left) {
  simulated_disk disk(left);
  const auto mounted = disk.mount();
  auto verified = journal::verify(*mounted, now());
  EXPECT_EQ(disk.operation_count(), 0u);
  return verified;
}

// Whether opening would read the log to its end.
bool is_readable(const platter& left) {
  simulated_disk disk(left);
  const auto mounted = disk.mount();
  auto found = journal::find_segments(*mounted);
  if (!found) return false;
  return journal::scan(*found,
                       [](std::size_t, std::uint64_t, std::string_view entry) {
                         return journal::decode_entry(entry.substr(journal::entry_header_bytes)).has_value();
                       })
      .has_value();
}

bool covers(const finding& each, const std::string& file, std::size_t byte) {
  return each.file == file && each.offset <= byte && byte < each.offset + std::max<std::uint64_t>(each.bytes, 1);
}

placed_entry entry_with_a_body_of_blocks(const std::vector<placed_entry>& entries) {
  const auto found = std::find_if(entries.rbegin(), entries.rend(), [](const placed_entry& each) {
    return each.end - each.begin > journal::block_bytes;
  });
  EXPECT_TRUE(found != entries.rend());
  return *found;
}

TEST(verify, counts_what_a_sound_journal_has) {
  const auto verified = verify(sample_journal());
  ASSERT_TRUE(verified) << verified.error().message;
  EXPECT_TRUE(verified->is_sound());
  const auto entries = entries_of(sample_journal());
  const auto segments = segments_of(sample_journal());
  EXPECT_EQ(verified->log.entries, entries.size());
  EXPECT_EQ(verified->log.batches, entries.size());
  EXPECT_EQ(verified->log.next_sequence, entries.back().sequence + 1);
  EXPECT_EQ(verified->log.first_generation, 1u);
  EXPECT_EQ(verified->log.newest_generation, 3u);
  EXPECT_EQ(verified->log.end_file, segments.back().file);
  EXPECT_EQ(verified->log.end_offset, entries.back().end);
  EXPECT_FALSE(verified->log.is_torn);
  EXPECT_EQ(verified->log.largest_fence + 1, next_fence(sample_journal()));
  EXPECT_EQ(verified->records.in_flight, 1u);
  EXPECT_EQ(verified->records.completed, 5u);
  EXPECT_EQ(verified->records.released, 2u);
  EXPECT_EQ(verified->records.unknown, 1u);
  EXPECT_EQ(verified->records.expired, 0u);
}

TEST(verify, finds_every_flipped_byte_that_matters_and_says_where) {
  // All kinds of bytes are in the first blocks of one.
  std::size_t dense = 2 * journal::block_bytes;
  platter left = sample_journal();
  for (const written_segment& each : segments_of(sample_journal())) {
    for (std::size_t byte = 0; byte < each.bytes && !HasFailure(); byte += effort() > 1 || byte < dense ? 1u : 61u) {
      SCOPED_TRACE(each.file + " byte " + std::to_string(byte));
      const std::byte mask{static_cast<unsigned char>(1u << (byte % 8))};
      left.bytes_of(each.file)[byte] ^= mask;
      note_image();
      const auto verified = verify(left);
      ASSERT_TRUE(verified) << verified.error().message;
      EXPECT_EQ(verified->is_sound(), is_readable(left));
      if (!verified->is_sound()) {
        ASSERT_EQ(verified->log.findings.size(), 1u) << verified->log.findings[1].what;
        EXPECT_TRUE(covers(verified->log.findings[0], each.file, byte))
            << verified->log.findings[0].file << " " << verified->log.findings[0].offset;
      } else {
        EXPECT_TRUE((byte >= journal::sector_bytes && byte < journal::segment_header_bytes) ||
                    byte % journal::sector_bytes >= journal::sector_payload_bytes);
      }
      left.bytes_of(each.file)[byte] ^= mask;
    }
    dense = journal::sector_bytes;
  }
}

TEST(verify, finds_every_file_that_was_cut_short) {
  for (const written_segment& each : segments_of(sample_journal())) {
    platter left = sample_journal();
    for (std::size_t bytes = left.read(each.file).size(); bytes-- > 0 && !HasFailure();
         bytes -= std::min<std::size_t>(bytes, 997)) {
      left.bytes_of(each.file).resize(bytes);
      SCOPED_TRACE(each.file + " of " + std::to_string(bytes));
      const auto verified = verify(left);
      ASSERT_TRUE(verified) << verified.error().message;
      EXPECT_FALSE(verified->is_sound());
      const auto& all = verified->log.findings;
      EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const finding& one) { return one.file == each.file; }));
    }
  }
}

TEST(verify, says_the_same_as_opening_of_a_log_that_ends_in_zeros) {
  const auto segments = segments_of(sample_journal());
  platter left = sample_journal();
  const written_segment& last = segments.back();
  for (std::size_t from = last.bytes - 1; from > 70 && !HasFailure(); from -= 67) {
    auto& bytes = left.bytes_of(last.file);
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.end(), std::byte{0});
    const auto verified = verify(left);
    ASSERT_TRUE(verified);
    EXPECT_EQ(verified->is_sound(), is_readable(left)) << from;
  }
}

TEST(verify, finds_all_damages_and_not_only_the_first) {
  const auto entries = entries_of(sample_journal());
  platter left = sample_journal();
  const placed_entry& first = entries[3];
  const placed_entry& second = entries[4];
  const placed_entry& third = entries[entries.size() - 5];
  for (const placed_entry* each : {&first, &second, &third})
    left.bytes_of(each->file)[each->begin + 60] ^= std::byte{8};
  const auto verified = verify(left);
  ASSERT_TRUE(verified);
  const auto& all = verified->log.findings;
  ASSERT_EQ(all.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    const placed_entry& hit = i == 0 ? first : i == 1 ? second : third;
    EXPECT_EQ(all[i].file, hit.file);
    EXPECT_EQ(all[i].offset, hit.begin);
    EXPECT_EQ(all[i].bytes, hit.end - hit.begin);
    EXPECT_EQ(all[i].first_sequence, hit.sequence);
    EXPECT_EQ(all[i].batches, 1u);
    EXPECT_EQ(all[i].entries, 1u);
    ASSERT_TRUE(all[i].after && all[i].before);
    EXPECT_LT(*all[i].after, *all[i].before);
  }
  EXPECT_EQ(verified->log.entries, entries.size() - 3);
}

TEST(verify, says_which_batches_a_missing_segment_had) {
  const auto segments = segments_of(sample_journal());
  platter left = sample_journal();
  left.erase(segments[1].file);
  const auto verified = verify(left);
  ASSERT_TRUE(verified);
  ASSERT_EQ(verified->log.findings.size(), 1u);
  const finding& missing = verified->log.findings[0];
  EXPECT_EQ(missing.what, "the segment before it (generation 2) is missing");
  EXPECT_EQ(missing.first_sequence, segments[1].header.first_sequence);
  EXPECT_EQ(missing.first_sequence + missing.batches, segments[2].header.first_sequence);
  EXPECT_TRUE(missing.all_known);
  EXPECT_FALSE(missing.entries);
}

TEST(verify, of_a_write_that_was_cut_short_is_no_finding) {
  const auto entries = entries_of(sample_journal());
  platter left = sample_journal();
  auto& bytes = left.bytes_of(entries.back().file);
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(entries.back().begin), journal::sector_bytes, std::byte{0});
  const auto verified = verify(left);
  ASSERT_TRUE(verified);
  EXPECT_TRUE(verified->is_sound());
  EXPECT_TRUE(verified->log.is_torn);
  EXPECT_EQ(verified->log.end_offset, entries.back().begin);
}

TEST(verify, finds_a_batch_that_lost_a_sector_between_others) {
  const auto entries = entries_of(sample_journal());
  const placed_entry& hit = entries[entries.size() - 3];
  ASSERT_EQ(hit.file, segments_of(sample_journal()).back().file);
  platter left = sample_journal();
  auto& bytes = left.bytes_of(hit.file);
  // Of another life of the file, so that it looks like a write that was cut short.
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(hit.begin), journal::sector_bytes, std::byte{0});
  auto verified = verify(left);
  ASSERT_TRUE(verified);
  ASSERT_EQ(verified->log.findings.size(), 1u);
  EXPECT_EQ(verified->log.findings[0].what, "a batch is missing between others");

  left = sample_journal();
  const placed_entry longer = entry_with_a_body_of_blocks(entries);
  auto& others = left.bytes_of(longer.file);
  std::fill_n(others.begin() + static_cast<std::ptrdiff_t>(longer.begin + journal::block_bytes), journal::sector_bytes,
              std::byte{0});
  verified = verify(left);
  ASSERT_TRUE(verified);
  ASSERT_EQ(verified->log.findings.size(), 1u);
  EXPECT_EQ(verified->log.findings[0].offset, longer.begin);
  EXPECT_EQ(verified->log.findings[0].what, "a batch is not whole, though more was written after it");
}

TEST(verify, says_who_has_the_journal_open) {
  journal_rig rig(keys_in_sample);
  journal_rig opened(rig, sample_journal());
  ASSERT_FALSE(opened.open(journal::run_by::steps));
  const auto mounted = opened.disk().mount();
  const auto refused = journal::verify(*mounted, now());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, errc::busy);
  EXPECT_NE(refused.error().message.find("held by process"), std::string::npos);
}

TEST(verify, of_a_directory_without_a_journal_says_so) {
  platter empty;
  empty.put("notes.txt", "whatever");
  const auto refused = verify(empty);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, errc::not_found);
}

}  // namespace
}  // namespace onceward::crash
