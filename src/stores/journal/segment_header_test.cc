#include "stores/journal/segment_header.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "base/hex.h"
#include "stores/journal/sectors.h"

namespace onceward::journal {
namespace {

constexpr segment_header some_header{.generation = 5,
                                     .segment_bytes = 64u << 20,
                                     .first_sequence = 1'000,
                                     .first_generation = 2,
                                     .fence_granted = 77,
                                     .created_at_ms = 1'767'225'600'000};

std::vector<std::byte> encoded(const segment_header& header) {
  std::vector<std::byte> block(block_bytes, std::byte{0xff});
  encode(header, block);
  return block;
}

TEST(segment_header, is_read_as_it_was_written) {
  const auto read = decode_segment_header(encoded(some_header));
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->generation, some_header.generation);
  EXPECT_EQ((*read)->segment_bytes, some_header.segment_bytes);
  EXPECT_EQ((*read)->first_sequence, some_header.first_sequence);
  EXPECT_EQ((*read)->first_generation, some_header.first_generation);
  EXPECT_EQ((*read)->fence_granted, some_header.fence_granted);
  EXPECT_EQ((*read)->created_at_ms, some_header.created_at_ms);
}

TEST(segment_header, has_the_bytes_that_its_page_describes) {
  const auto block = encoded(some_header);
  EXPECT_EQ(base::to_hex(std::span(block).first(72)),
            "6f6e636577617264206a6f75726e616c"  // "onceward journal"
            "0100000000000000"                  // Version, nothing.
            "0500000000000000"                  // Generation.
            "0000000400000000"                  // Length.
            "e803000000000000"                  // First sequence number.
            "0200000000000000"                  // First generation of the log.
            "4d00000000000000"                  // Fence.
            "00a8da769b010000");                // 2026-01-01.
}

TEST(segment_header, fits_one_sector_and_leaves_the_rest_of_its_block_zero) {
  const auto block = encoded(some_header);
  for (std::size_t i = sector_bytes; i < block.size(); ++i)
    EXPECT_EQ(block[i], std::byte{0});
}

TEST(segment_header, is_absent_from_a_block_of_zeros) {
  const auto read = decode_segment_header(std::vector<std::byte>(block_bytes));
  ASSERT_TRUE(read);
  EXPECT_FALSE(*read);
}

TEST(segment_header, is_refused_with_any_bit_of_its_sector_flipped) {
  auto block = encoded(some_header);
  for (std::size_t bit = 0; bit < sector_bytes * 8; ++bit) {
    const std::byte mask{static_cast<unsigned char>(1u << (bit % 8))};
    block[bit / 8] ^= mask;
    const auto read = decode_segment_header(block);
    EXPECT_TRUE(!read && read.error() == errc::corrupt) << "bit " << bit;
    block[bit / 8] ^= mask;
  }
}

TEST(segment_header, that_keeps_more_than_there_was_is_refused) {
  segment_header header = some_header;
  header.first_generation = header.generation + 1;
  EXPECT_FALSE(decode_segment_header(encoded(header)));
  header.first_generation = 0;
  EXPECT_FALSE(decode_segment_header(encoded(header)));
}

}  // namespace
}  // namespace onceward::journal
