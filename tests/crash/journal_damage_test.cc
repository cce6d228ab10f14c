// Damage: whatever becomes of the bytes of a log, the journal opens with what was acknowledged, in the last segment up
// to where it seems never to have been written further, or refuses and says where. Never with a wrong answer.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/checksum.h"
#include "effort.h"
#include "journal_rig.h"
#include "reply_text.h"
#include "sample_commands.h"
#include "simulated_disk.h"
#include "stores/journal/index_file.h"
#include "stores/journal/log_scan.h"
#include "stores/journal/sectors.h"

namespace onceward::crash {
namespace {

constexpr std::uint64_t keys = 4;

struct log_entry {
  std::string file;
  std::size_t end;  // In the file.
  std::string bytes;
  friend bool operator==(const log_entry&, const log_entry&) = default;
};
using log_entries = std::vector<log_entry>;

// Every entry of the log on the disk, or what is wrong with it. Nothing is written.
tl::expected<log_entries, journal::damage> read_log(simulated_disk& disk) {
  const auto mounted = disk.mount();
  note_image();
  auto found = journal::find_segments(*mounted);
  if (!found) return tl::unexpected(found.error());
  log_entries entries;
  const auto scanned = journal::scan(*found, [&](std::size_t segment, std::uint64_t offset, std::string_view entry) {
    const std::size_t in_sector = offset % journal::sector_bytes;
    const std::size_t end = offset - in_sector + journal::disk_offset_of(in_sector + entry.size() - 1) + 1;
    entries.push_back({found->segments[segment].where.name, end, std::string(entry)});
    return true;
  });
  if (!scanned) return tl::unexpected(scanned.error());
  return entries;
}

// Two segments: every state, a body that spans blocks, records that were superseded. One entry in each batch.
constexpr std::string_view index_suffix = ".index";

class damaged_log : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_FALSE(written_.open());
    written_.run(conformance::claim_of(0, 1));
    written_.run(conformance::completed_of(0, 1, std::string(6'000, 'b')));
    written_.run(conformance::claim_of(1, 2));
    written_.run(conformance::release_of(1, 2));
    written_.run(conformance::claim_of(1, 3));
    written_.run(conformance::unknown_of(1, 3));
    for (std::uint64_t attempt = 100; written_.newest_segment().generation < 2; ++attempt) {
      written_.run(conformance::claim_of(2, attempt));
      written_.run(conformance::release_of(2, attempt));
    }
    written_.run(conformance::completed_of(2, 7));
    written_.run(conformance::claim_of(3, 5));
    written_.run(conformance::completed_of(3, 5, "the last one"));
    written_.close();

    for (const std::string& file : written_.disk().snapshot().names()) {
      if (!file.ends_with(index_suffix)) continue;
      with_index_ = written_.disk().snapshot();
      index_file_ = file;
    }
    ASSERT_NE(index_file_, "");
    // Most tests are about reading segments, and an index is there so that they need not be read.
    written_.disk().holds().erase(index_file_);

    const platter left = written_.disk().snapshot();
    for (const std::string& file : left.names()) {
      const auto bytes = left.read(file);
      std::size_t end = bytes.size();
      while (end > 0 && bytes[end - 1] == std::byte{0})
        --end;
      if (end > 0) parts_.push_back({file, end});
    }
    ASSERT_EQ(parts_.size(), 2u);
    if (generation_of(parts_[0].file) == 2) std::swap(parts_[0], parts_[1]);
    simulated_disk disk(left);
    const auto entries = read_log(disk);
    ASSERT_TRUE(entries);
    entries_ = *entries;
  }

  // Opens what is left. True if it opened, then with what was acknowledged; false if it refused, then with the place.
  bool opens(const platter& left, const std::string& damaged_file) {
    journal_rig opened(written_, left);
    note_image();
    if (const auto refused = opened.open(journal::run_by::steps)) {
      EXPECT_EQ(refused->reason, errc::corrupt) << refused->message;
      EXPECT_NE(refused->message.find(damaged_file), std::string::npos) << refused->message;
      EXPECT_NE(refused->message.find(", byte "), std::string::npos) << refused->message;
      return false;
    }
    EXPECT_EQ(opened.compare_after_opening(), "");
    return true;
  }

  std::uint64_t generation_of(const std::string& file) {
    const platter left = written_.disk().snapshot();
    const auto header = journal::decode_segment_header(left.read(file).first(journal::block_bytes));
    return header && *header ? (*header)->generation : 0;
  }

  // A segment file of the log, and how far it is written.
  struct written_part {
    std::string file;
    std::size_t bytes;
  };

  // What is said of every key by the journal that is left, or nothing if it does not open.
  std::vector<std::string> told_by(const platter& left) {
    journal_rig opened(written_, left);
    note_image();
    if (opened.open(journal::run_by::steps)) return {};
    std::vector<std::string> told;
    for (std::uint64_t key = 0; key < keys; ++key)
      told.push_back(conformance::to_text(opened.ask(find{conformance::key_of(key)})));
    return told;
  }

  journal_rig written_{keys};
  std::vector<written_part> parts_;  // The first segment and the second.
  log_entries entries_;
  platter with_index_;
  std::string index_file_;  // Of the first segment.
};

constexpr std::size_t header_sector_end = journal::sector_bytes;

bool is_stamp(std::size_t byte) {
  return byte % journal::sector_bytes >= journal::sector_payload_bytes;
}

TEST_F(damaged_log, with_any_byte_flipped_is_refused_or_read_as_it_was) {
  simulated_disk left(written_.disk().snapshot());
  for (const written_part& part : parts_) {
    // All kinds of bytes are in the first blocks.
    const auto next = [](std::size_t byte) {
      return byte + (effort() > 1 || byte < 2 * journal::block_bytes ? 1 : 61);
    };
    for (std::size_t byte = 0; byte < part.bytes && !HasFailure(); byte = next(byte)) {
      SCOPED_TRACE(part.file + " byte " + std::to_string(byte));
      std::byte& flipped = left.holds().bytes_of(part.file)[byte];
      const std::byte mask{static_cast<unsigned char>(1u << (byte % 8))};
      flipped ^= mask;
      const auto entries = read_log(left);
      const bool is_in_header = byte < journal::segment_header_bytes;
      if (entries) {
        // What is not part of anything, or the stamp of a sector whose bytes are proven otherwise.
        EXPECT_TRUE(is_in_header ? byte >= header_sector_end : is_stamp(byte));
        EXPECT_EQ(*entries, entries_);
      } else {
        EXPECT_TRUE(!is_in_header || byte < header_sector_end);
        EXPECT_EQ(entries.error().reason, errc::corrupt);
        EXPECT_EQ(entries.error().file, part.file);
        EXPECT_LE(entries.error().offset, byte);
      }
      if (byte % 397 == 0) {
        EXPECT_EQ(opens(left.snapshot(), part.file), entries.has_value());
      }
      left.holds().bytes_of(part.file)[byte] ^= mask;
    }
  }
}

// Its index says where everything is, so the segment is not read: what is damaged is found when it is asked for.
TEST_F(damaged_log, with_any_byte_of_an_indexed_segment_flipped_tells_what_was_acknowledged_or_that_it_cannot) {
  const std::vector<std::string> as_it_was = told_by(with_index_);
  ASSERT_EQ(as_it_was.size(), keys);
  std::uint64_t opened = 0;
  std::uint64_t cannot = 0;
  for (std::size_t byte = 0; byte < parts_[0].bytes && !HasFailure(); byte += effort() > 1 ? 1u : 23u) {
    SCOPED_TRACE("byte " + std::to_string(byte));
    platter left = with_index_;
    left.bytes_of(parts_[0].file)[byte] ^= std::byte{static_cast<unsigned char>(1u << (byte % 8))};
    const std::vector<std::string> told = told_by(left);
    // The header, or a record that had to be read to see whether a later segment supersedes it.
    if (told.empty()) continue;
    ++opened;
    for (std::size_t key = 0; key < keys; ++key) {
      if (told[key] == as_it_was[key]) continue;
      EXPECT_EQ(told[key], conformance::to_text(store_failure{certainty::definite, errc::corrupt}));
      ++cannot;
    }
  }
  EXPECT_GT(opened, 100u);
  EXPECT_GT(cannot, 0u);
}

TEST_F(damaged_log, with_any_byte_of_an_index_flipped_is_opened_as_it_was) {
  const std::vector<std::string> as_it_was = told_by(with_index_);
  const std::size_t bytes = with_index_.read(index_file_).size();
  for (std::size_t byte = 0; byte < bytes && !HasFailure(); byte += effort() > 1 || byte < 300 ? 1u : 17u) {
    SCOPED_TRACE("byte " + std::to_string(byte));
    platter left = with_index_;
    left.bytes_of(index_file_)[byte] ^= std::byte{static_cast<unsigned char>(1u << (byte % 8))};
    EXPECT_EQ(told_by(left), as_it_was);
  }
}

TEST_F(damaged_log, does_not_need_an_index_nor_take_that_of_another_segment) {
  const std::vector<std::string> as_it_was = told_by(with_index_);
  EXPECT_EQ(told_by(written_.disk().snapshot()), as_it_was);
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{100}, journal::block_bytes / 2}) {
    platter left = with_index_;
    left.bytes_of(index_file_).resize(bytes);
    EXPECT_EQ(told_by(left), as_it_was);
  }
  // As if the file had been the segment before.
  const auto contents = journal::index_of(1, {});
  journal::block_buffer memory;
  const auto empty = journal::encode_index({1, 1, 1}, contents, memory);
  platter left = with_index_;
  left.bytes_of(index_file_).assign(empty.begin(), empty.end());
  EXPECT_EQ(told_by(left), as_it_was);
}

TEST_F(damaged_log, that_ends_early_in_zeros_is_refused_or_read_up_to_there) {
  const std::size_t stride = effort() > 1 ? 1 : 11;
  for (const written_part& part : parts_) {
    const bool is_last = part.file == parts_.back().file;
    simulated_disk left(written_.disk().snapshot());
    // From the end to the beginning: each step takes a little more.
    for (std::size_t from = part.bytes - 1; from > stride && !HasFailure(); from -= stride) {
      SCOPED_TRACE(part.file + " from byte " + std::to_string(from));
      auto& bytes = left.holds().bytes_of(part.file);
      std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.end(), std::byte{0});
      log_entries before;
      std::copy_if(entries_.begin(), entries_.end(), std::back_inserter(before),
                   [&](const log_entry& each) { return each.file != part.file || each.end <= from; });
      const auto entries = read_log(left);
      if (entries) {
        // Only the end of the last segment can look like a write that was cut short.
        EXPECT_TRUE(is_last || before.size() == entries_.size());
        EXPECT_EQ(*entries, before);
      } else {
        // No write that was cut short leaves part of a sector. In the first one of a batch that is seen.
        EXPECT_TRUE(!is_last || from % journal::block_bytes < journal::sector_bytes);
        EXPECT_EQ(entries.error().file, part.file);
      }
      if (!is_last && from % 97 == 0) {
        EXPECT_EQ(opens(left.snapshot(), part.file), entries.has_value());
      }
    }
  }
}

// As if a block had never been written, though a later one was: no write that was cut short leaves that.
TEST_F(damaged_log, with_a_block_lost_between_others_is_refused) {
  for (const written_part& part : parts_) {
    const std::size_t last_block = (part.bytes - 1) / journal::block_bytes * journal::block_bytes;
    for (std::size_t block = journal::segment_header_bytes; block < last_block; block += journal::block_bytes) {
      SCOPED_TRACE(part.file + " block at " + std::to_string(block));
      platter left = written_.disk().snapshot();
      auto& bytes = left.bytes_of(part.file);
      std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(block), journal::block_bytes, std::byte{0});
      EXPECT_FALSE(opens(left, part.file));
    }
  }
}

TEST_F(damaged_log, with_a_file_cut_short_anywhere_is_refused) {
  for (const auto& [file, written_bytes] : parts_) {
    simulated_disk left(written_.disk().snapshot());
    for (std::size_t bytes = left.holds().read(file).size(); bytes-- > 0 && !HasFailure();) {
      left.holds().bytes_of(file).resize(bytes);
      const auto mounted = left.mount();
      const auto found = journal::find_segments(*mounted);
      ASSERT_FALSE(found) << file << " of " << bytes << " bytes";
      ASSERT_EQ(found.error().reason, errc::corrupt);
      ASSERT_EQ(found.error().file, file);
      if (bytes % 4'999 == 0) {
        EXPECT_FALSE(opens(left.snapshot(), file));
      }
    }
  }
}

TEST_F(damaged_log, does_not_need_a_file_that_was_never_written_to) {
  const platter left = written_.disk().snapshot();
  ASSERT_GT(left.names().size(), parts_.size());
  for (const std::string& file : left.names()) {
    if (generation_of(file) != 0) continue;
    platter cut_short = left;
    cut_short.bytes_of(file).resize(journal::block_bytes);
    EXPECT_TRUE(opens(cut_short, file));
    platter without = left;
    without.erase(file);
    EXPECT_TRUE(opens(without, file));
  }
}

TEST_F(damaged_log, with_an_old_segment_missing_is_refused) {
  platter left = written_.disk().snapshot();
  left.erase(parts_[0].file);
  EXPECT_FALSE(opens(left, parts_[1].file));
}

TEST_F(damaged_log, with_one_segment_twice_is_refused) {
  platter left = written_.disk().snapshot();
  left.bytes_of(parts_[0].file) = left.bytes_of(parts_[1].file);
  EXPECT_FALSE(opens(left, "segment-"));
}

TEST_F(damaged_log, of_a_later_version_is_refused_as_such) {
  constexpr std::size_t version_at = 16;
  constexpr std::size_t checksum_at = journal::sector_bytes - 8;
  platter left = written_.disk().snapshot();
  auto& bytes = left.bytes_of(parts_[0].file);
  bytes[version_at] = std::byte{journal::format_version + 1};
  const std::uint64_t checksum = base::checksum({reinterpret_cast<const char*>(bytes.data()), checksum_at});
  for (std::size_t i = 0; i < 8; ++i)
    bytes[checksum_at + i] = static_cast<std::byte>(checksum >> (8 * i));

  journal_rig opened(written_, left);
  const auto refused = opened.open();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->reason, errc::version) << refused->message;
  EXPECT_NE(refused->message.find(parts_[0].file), std::string::npos) << refused->message;
}

TEST_F(damaged_log, is_told_from_files_that_are_not_the_journal_s) {
  for (const char* name : {"secret", "segment-", "segment-1", "segment-000001.bak", "segment-0000x1", "notes.txt"}) {
    platter left = written_.disk().snapshot();
    left.put(name, "whatever");
    journal_rig opened(written_, left);
    ASSERT_FALSE(opened.open());
    EXPECT_EQ(opened.compare_after_opening(), "");
    EXPECT_EQ(opened.disk().snapshot().read(name).size(), 8u);
  }
}

}  // namespace
}  // namespace onceward::crash
