#include "stores/journal/index_file.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/hex.h"

namespace onceward::journal {
namespace {

constexpr segment_bounds some_segment{.generation = 3, .first_sequence = 70, .next_first_sequence = 90};

index_note note_of(std::uint64_t bits, std::uint32_t offset, entry_place before = {}) {
  return {.key = {bits},
          .offset = offset,
          .bytes = 256,
          .kind = state_kind::completed,
          .expires_at = wall_time{std::chrono::milliseconds{1'000'000}},
          .before = before};
}

std::vector<std::byte> encoded(const index_contents& contents) {
  block_buffer memory;
  const auto bytes = encode_index(some_segment, contents, memory);
  return {bytes.begin(), bytes.end()};
}

std::string hex(std::span<const std::byte> bytes) {
  return base::to_hex(bytes);
}

TEST(index_file, lists_what_nothing_in_its_segment_superseded) {
  const auto contents = index_of(3, {note_of(5, 4096), note_of(1, 4300, {2, 8192}), note_of(5, 5000, {3, 4096})});
  ASSERT_EQ(contents.entries.size(), 2u);
  EXPECT_EQ(contents.entries[0], note_of(1, 4300));
  EXPECT_EQ(contents.entries[1], note_of(5, 5000));
  ASSERT_EQ(contents.superseded.size(), 1u);
  EXPECT_EQ(contents.superseded[0].key, key_prefix{1});
  EXPECT_EQ(contents.superseded[0].where, (entry_place{2, 8192}));
}

// What is older and superseded by an entry that is itself superseded is superseded all the same.
TEST(index_file, forgets_nothing_that_was_superseded_on_the_way) {
  const auto contents = index_of(3, {note_of(5, 4096, {1, 9000}), note_of(5, 5000, {3, 4096})});
  ASSERT_EQ(contents.entries.size(), 1u);
  EXPECT_EQ(contents.entries[0].offset, 5000u);
  ASSERT_EQ(contents.superseded.size(), 1u);
  EXPECT_EQ(contents.superseded[0].where, (entry_place{1, 9000}));
}

TEST(index_file, is_in_the_order_of_the_shards) {
  const auto contents = index_of(3, {note_of(std::uint64_t{7} << 24, 1), note_of(std::uint64_t{3} << 24 | 1, 2),
                                     note_of(std::uint64_t{1} << 60 | std::uint64_t{3} << 24, 3)});
  ASSERT_EQ(contents.entries.size(), 3u);
  EXPECT_EQ(contents.entries[0].offset, 2u);
  EXPECT_EQ(contents.entries[1].offset, 3u);
  EXPECT_EQ(contents.entries[2].offset, 1u);
}

TEST(index_file, is_read_as_it_was_written) {
  const auto contents = index_of(3, {note_of(5, 4096), note_of(1, 4300, {2, 8192})});
  const auto bytes = encoded(contents);
  EXPECT_EQ(bytes.size(), index_file_bytes(contents));
  const auto read = decode_index(some_segment, bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->entries, contents.entries);
  ASSERT_EQ(read->superseded.size(), 1u);
  EXPECT_EQ(read->superseded[0].key, key_prefix{1});
  EXPECT_EQ(read->superseded[0].where, (entry_place{2, 8192}));
}

TEST(index_file, is_not_read_as_that_of_another_segment) {
  const auto bytes = encoded(index_of(3, {note_of(5, 4096)}));
  for (segment_bounds other : {segment_bounds{4, 70, 90}, segment_bounds{3, 71, 90}, segment_bounds{3, 70, 91}})
    EXPECT_FALSE(decode_index(other, bytes));
}

// The bytes on the disk: docs/journal-format.md.
TEST(index_file, keeps_to_its_format) {
  const auto bytes = encoded(index_of(3, {note_of(0x0102030405060708, 4096, {2, 8192})}));
  ASSERT_EQ(bytes.size(), block_bytes);
  const std::span all{bytes};
  EXPECT_EQ(hex(all.subspan(0, 16)), "6f6e63657761726420696e6465786573");   // "onceward indexes"
  EXPECT_EQ(hex(all.subspan(16, 8)), "0100000000000000");                   // Version.
  EXPECT_EQ(hex(all.subspan(24, 8)), "0300000000000000");                   // Generation.
  EXPECT_EQ(hex(all.subspan(32, 16)), "46000000000000005a00000000000000");  // First sequence numbers.
  EXPECT_EQ(hex(all.subspan(48, 16)), "01000000000000000100000000000000");  // Rows.
  EXPECT_EQ(hex(all.subspan(80, 24)), "0807060504030201001000000001002040420f0000000000");
  EXPECT_EQ(hex(all.subspan(104, 24)), "080706050403020102000000000000000020000000000000");
  EXPECT_EQ(hex(all.subspan(64, 16)), "56639aa77c8eeba6bfb1c8832c36812b");  // Checksums.
}

}  // namespace
}  // namespace onceward::journal
