#include "stores/journal/batch.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hex.h"

namespace onceward::journal {
namespace {

constexpr batch_id some_batch{.generation = 3, .sequence = 70};

std::vector<std::byte> sealed(const std::vector<std::string>& entries, batch_id id) {
  batch_builder builder;
  for (const std::string& each : entries)
    builder.add(each);
  block_buffer memory;
  const auto bytes = builder.seal(id, memory);
  return {bytes.begin(), bytes.end()};
}

// Three sectors of entries in a batch of two blocks, and a block of zeros behind it.
std::vector<std::byte> sample() {
  auto bytes = sealed({std::string(1'300, 'a'), std::string(2'700, 'b'), std::string(100, 'c')}, some_batch);
  bytes.resize(bytes.size() + block_bytes);
  return bytes;
}

batch_condition condition_of(std::span<const std::byte> bytes) {
  return read_batch(bytes, some_batch).condition;
}

TEST(batch, is_read_as_it_was_written) {
  const auto bytes = sample();
  const batch_reading read = read_batch(bytes, some_batch);
  EXPECT_EQ(read.condition, batch_condition::intact);
  EXPECT_EQ(read.disk_bytes, 2 * block_bytes);
  EXPECT_EQ(read.entry_count, 3u);
  EXPECT_EQ(std::string_view(read.payload).substr(batch_header_bytes, read.entries_end - batch_header_bytes),
            std::string(1'300, 'a') + std::string(2'700, 'b') + std::string(100, 'c'));
}

TEST(batch, has_the_bytes_that_its_page_describes) {
  const auto bytes = sealed({"entry"}, {.generation = 5, .sequence = 1'000});
  EXPECT_EQ(base::to_hex(std::span(bytes).first(56)),
            "4f574a42"          // "OWJB"
            "01000000"          // Entries.
            "0500000000000000"  // Generation.
            "e803000000000000"  // Sequence number.
            "0500000000000000"  // Bytes of the entries, nothing.
            "2a18cab9a92e5e60"  // Checksum of entries and padding.
            "ffea7186a67ef668"  // Checksum of this header.
            "656e747279"        // The entry.
            "000000");          // Padding.
  EXPECT_EQ(base::to_hex(std::span(bytes).subspan(sector_payload_bytes, stamp_bytes)), "43676fcac7fd782f");
}

TEST(batch, says_where_its_entries_will_be) {
  batch_builder builder;
  const std::size_t first = builder.add(std::string(600, 'x'));
  const std::size_t second = builder.add(std::string(600, 'y'));
  block_buffer memory;
  const auto bytes = builder.seal(some_batch, memory);
  for (const auto& [offset, letter] : {std::pair{first, 'x'}, std::pair{second, 'y'}}) {
    std::string entry;
    gather(bytes, offset, 600, entry);
    EXPECT_EQ(entry, std::string(600, letter));
  }
}

TEST(batch, is_absent_where_another_one_or_nothing_was_written) {
  const auto bytes = sample();
  EXPECT_EQ(read_batch(bytes, {some_batch.generation, some_batch.sequence + 1}).condition, batch_condition::absent);
  EXPECT_EQ(read_batch(bytes, {some_batch.generation + 1, some_batch.sequence}).condition, batch_condition::absent);
  EXPECT_EQ(read_batch(std::span(bytes).last(block_bytes), some_batch).condition, batch_condition::absent);
  EXPECT_EQ(read_batch({}, some_batch).condition, batch_condition::absent);
}

TEST(batch, with_a_bit_flipped_is_damaged_or_still_proves_itself) {
  auto bytes = sample();
  const auto as_it_was = read_batch(bytes, some_batch).payload;
  for (std::size_t byte = 0; byte < 2 * block_bytes; ++byte) {
    bytes[byte] ^= std::byte{4};
    const batch_reading read = read_batch(bytes, some_batch);
    if (read.condition == batch_condition::intact) {
      // A stamp; what it stamps is as it was.
      EXPECT_GE(byte % sector_bytes, sector_payload_bytes);
      EXPECT_GE(byte, sector_bytes);
      EXPECT_EQ(read.payload, as_it_was);
    } else {
      EXPECT_EQ(read.condition, batch_condition::damaged) << byte;
    }
    bytes[byte] ^= std::byte{4};
  }
}

// Sectors as they were before the batch was written: zeros, or what the file held in an earlier life.
void lose_sector(std::vector<std::byte>& bytes, std::size_t sector, bool recycled) {
  constexpr std::size_t entry_bytes = payload_bytes_of(2 * block_bytes) - batch_header_bytes;
  static const auto before = sealed({std::string(entry_bytes, 'o')}, {some_batch.generation - 1, 5});
  for (std::size_t i = 0; i < sector_bytes; ++i) {
    bytes[sector * sector_bytes + i] = recycled ? before[sector * sector_bytes + i] : std::byte{0};
  }
}

TEST(batch, whose_write_was_cut_short_is_torn_or_absent_but_never_damaged) {
  constexpr std::size_t sectors = 2 * block_bytes / sector_bytes;
  for (std::uint32_t lost = 1; lost < (1u << sectors); lost += 31) {
    for (const bool recycled : {false, true}) {
      auto bytes = sample();
      for (std::size_t sector = 0; sector < sectors; ++sector) {
        if ((lost >> sector & 1) != 0) lose_sector(bytes, sector, recycled);
      }
      const batch_condition found = condition_of(bytes);
      EXPECT_NE(found, batch_condition::damaged) << lost;
      if ((lost & 1) != 0) {
        EXPECT_EQ(found, batch_condition::absent) << lost;
      }
      // Only zeros may be missing without being missed.
      if (found == batch_condition::intact) {
        EXPECT_FALSE(recycled);
        EXPECT_EQ(lost & 0x1ff, 0u);
      }
    }
  }
}

TEST(batch, leaves_traces_if_its_first_sector_is_lost) {
  auto bytes = sample();
  EXPECT_EQ(find_traces(bytes, {some_batch.generation, some_batch.sequence + 1}), batch_traces::none);
  lose_sector(bytes, 0, false);
  EXPECT_EQ(find_traces(bytes, some_batch), batch_traces::part);
}

TEST(batch, is_missed_if_a_later_one_is_there) {
  std::vector<std::byte> bytes(2 * block_bytes);
  const auto later = sealed({"entry"}, {some_batch.generation, some_batch.sequence + 1});
  bytes.insert(bytes.end(), later.begin(), later.end());
  EXPECT_EQ(find_traces(bytes, some_batch), batch_traces::later_one);
  // One of an earlier life of the file, or an earlier one of this, proves nothing.
  EXPECT_EQ(find_traces(bytes, {some_batch.generation + 1, some_batch.sequence}), batch_traces::none);
  EXPECT_EQ(find_traces(bytes, {some_batch.generation, some_batch.sequence + 2}), batch_traces::none);
}

TEST(batch, cannot_be_forged_by_what_is_inside_another) {
  // An entry that holds, at the beginning of a block, what looks like a batch to come.
  const auto forged = sealed({"forged entry"}, {some_batch.generation, some_batch.sequence + 1});
  std::string payload(payload_bytes_of(block_bytes) - batch_header_bytes, 'x');
  payload.append(reinterpret_cast<const char*>(forged.data()), sector_payload_bytes);
  auto bytes = sealed({payload}, some_batch);
  ASSERT_EQ(bytes.size(), 2 * block_bytes);
  const auto second_block = std::span(bytes).subspan(block_bytes);
  EXPECT_EQ(read_batch(second_block, {some_batch.generation, some_batch.sequence + 1}).condition,
            batch_condition::damaged);
  EXPECT_EQ(find_traces(second_block, some_batch), batch_traces::none);
}

}  // namespace
}  // namespace onceward::journal
