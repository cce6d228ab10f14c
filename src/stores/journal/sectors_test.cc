#include "stores/journal/sectors.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace onceward::journal {
namespace {

constexpr batch_id some_batch{.generation = 3, .sequence = 70};

std::string numbered(std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i)
    text.push_back(static_cast<char>(i * 31 % 251));
  return text;
}

std::vector<std::byte> scattered(const std::string& payload, batch_id id) {
  std::vector<std::byte> sectors(disk_bytes_of(payload.size()));
  scatter(payload, id, sectors);
  return sectors;
}

TEST(sectors, carry_a_payload_in_whole_blocks) {
  EXPECT_EQ(disk_bytes_of(1), 4096u);
  EXPECT_EQ(disk_bytes_of(8 * 504), 4096u);
  EXPECT_EQ(disk_bytes_of(8 * 504 + 1), 8192u);
  EXPECT_EQ(payload_bytes_of(4096), 8u * 504);
}

TEST(sectors, give_back_every_part_of_a_payload) {
  const std::string payload = numbered(payload_bytes_of(3 * block_bytes));
  const auto sectors = scattered(payload, some_batch);
  for (std::size_t offset = 0; offset < payload.size(); offset += 101) {
    for (const std::size_t bytes :
         {std::size_t{1}, std::size_t{503}, std::size_t{504}, std::size_t{505}, std::size_t{4'000}}) {
      if (offset + bytes > payload.size()) continue;
      std::string part;
      gather(sectors, disk_offset_of(offset), bytes, part);
      EXPECT_EQ(part, payload.substr(offset, bytes)) << offset << " + " << bytes;
    }
  }
}

TEST(sectors, are_stamped_with_their_batch_and_their_place_in_it) {
  const auto sectors = scattered(numbered(payload_bytes_of(2 * block_bytes)), some_batch);
  for (std::size_t index = 0; index < sectors.size() / sector_bytes; ++index) {
    EXPECT_TRUE(is_stamped(sectors, index, some_batch));
    EXPECT_FALSE(is_stamped(sectors, index, {some_batch.generation, some_batch.sequence + 1}));
    EXPECT_FALSE(is_stamped(sectors, index, {some_batch.generation + 1, some_batch.sequence}));
  }
  EXPECT_NE(stamp_of(some_batch, 0), stamp_of(some_batch, 1));
}

TEST(sectors, of_zeros_are_stamped_for_nothing) {
  const std::vector<std::byte> zeros(block_bytes);
  EXPECT_FALSE(is_stamped(zeros, 0, {0, 0}));
  EXPECT_FALSE(is_stamped(zeros, 0, {1, 1}));
}

}  // namespace
}  // namespace onceward::journal
