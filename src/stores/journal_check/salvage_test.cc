#include "stores/journal_check/salvage.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stores/journal/segment_header.h"

namespace onceward::journal {
namespace {

constexpr std::uint64_t generation = 5;

core::record record_with(std::uint64_t token, std::size_t fingerprint_bytes) {
  return {.attempt = {},
          .attempt_number = 1,
          .token = fence{token},
          .first_seen = {},
          .retention = std::chrono::hours{1},
          .fingerprint = std::make_shared<const std::string>(fingerprint_bytes, 'f'),
          .state = core::state_in_flight{}};
}

// A segment with a batch of so many entries each.
class segment_bytes {
 public:
  segment_bytes() : bytes_(32 * block_bytes), end_(segment_header_bytes) {}

  std::size_t add(std::uint64_t sequence, int entries, std::size_t fingerprint_bytes = 20) {
    batch_builder batch;
    for (int i = 0; i < entries; ++i) {
      std::string entry;
      encode_entry({}, record_with(sequence * 100 + static_cast<std::uint64_t>(i), fingerprint_bytes), generation,
                   entry);
      batch.add(entry);
    }
    const auto sealed = batch.seal({generation, sequence}, memory_);
    std::memcpy(bytes_.data() + end_, sealed.data(), sealed.size());
    return std::exchange(end_, end_ + sealed.size());
  }
  void flip(std::size_t byte) { bytes_[byte] ^= std::byte{1}; }
  std::span<const std::byte> bytes() const { return bytes_; }

  std::vector<std::uint64_t> sequences() const {
    std::vector<std::uint64_t> found;
    for (const found_batch& each : find_batches(bytes_, generation, 1)) {
      if (each.condition == batch_condition::intact) found.push_back(each.sequence);
    }
    return found;
  }
  // The fences of the entries that can be read of the batch at the offset.
  std::vector<std::uint64_t> fences(std::size_t offset, std::uint64_t sequence, salvaged_batch* told = nullptr) const {
    std::vector<std::uint64_t> found;
    const auto done =
        salvage(bytes().subspan(offset), {generation, sequence}, [&](std::uint32_t, std::uint64_t, entry each) {
          found.push_back(static_cast<std::uint64_t>(each.kept.token));
        });
    if (told != nullptr) *told = done;
    return found;
  }

 private:
  std::vector<std::byte> bytes_;
  std::size_t end_;
  block_buffer memory_;
};

using numbers = std::vector<std::uint64_t>;

TEST(find_batches, finds_those_behind_one_that_is_not_whole) {
  segment_bytes segment;
  segment.add(1, 1);
  const std::size_t second = segment.add(2, 1, 5'000);
  segment.add(3, 1);
  EXPECT_EQ(segment.sequences(), (numbers{1, 2, 3}));
  segment.flip(second + 1'000);
  EXPECT_EQ(segment.sequences(), (numbers{1, 3}));
  segment.flip(second + 3);
  segment.flip(second + 510);
  EXPECT_EQ(segment.sequences(), (numbers{1, 3}));
}

TEST(find_batches, takes_none_of_another_generation_or_from_before_the_first) {
  segment_bytes segment;
  segment.add(4, 1);
  segment.add(5, 1);
  EXPECT_TRUE(find_batches(segment.bytes(), generation - 1, 1).empty());
  EXPECT_EQ(find_batches(segment.bytes(), generation, 5).size(), 1u);
}

// The body of an entry may be chosen by anybody.
TEST(find_batches, is_not_taken_in_by_bytes_that_look_like_a_batch) {
  segment_bytes chosen;
  chosen.add(9, 1);
  segment_bytes segment;
  const std::size_t place = segment.add(1, 1, 20'000);
  // The header alone, as it can be had inside of a sector.
  std::vector<std::byte> bytes(segment.bytes().begin(), segment.bytes().end());
  std::memcpy(bytes.data() + place + block_bytes, chosen.bytes().data() + segment_header_bytes, batch_header_bytes);
  const auto found = find_batches(bytes, generation, 1);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].sequence, 1u);
  EXPECT_EQ(found[0].condition, batch_condition::damaged);
}

TEST(salvage, gives_the_entries_beside_one_that_has_changed) {
  segment_bytes segment;
  const std::size_t place = segment.add(1, 3);
  EXPECT_EQ(segment.fences(place, 1), (numbers{100, 101, 102}));
  constexpr std::size_t entry_bytes = entry_header_bytes + 78 + 8 + 4 + 20;
  segment.flip(place + batch_header_bytes + entry_bytes + entry_header_bytes + 40);
  salvaged_batch told;
  EXPECT_EQ(segment.fences(place, 1, &told), (numbers{100, 102}));
  EXPECT_EQ(told.announced, 3u);
  EXPECT_EQ(told.last_lost, 1u);
  EXPECT_FALSE(told.is_complete());
}

TEST(salvage, gives_nothing_behind_a_length_that_has_changed) {
  segment_bytes segment;
  const std::size_t place = segment.add(1, 3);
  constexpr std::size_t entry_bytes = entry_header_bytes + 78 + 8 + 4 + 20;
  segment.flip(place + batch_header_bytes + entry_bytes);
  salvaged_batch told;
  EXPECT_EQ(segment.fences(place, 1, &told), (numbers{100}));
  EXPECT_EQ(told.last_lost, 2u);
}

TEST(salvage, gives_everything_where_only_padding_or_a_stamp_has_changed) {
  segment_bytes segment;
  const std::size_t place = segment.add(1, 3);
  segment.flip(place + 510);
  segment.flip(place + block_bytes - 20);
  salvaged_batch told;
  EXPECT_EQ(segment.fences(place, 1, &told), (numbers{100, 101, 102}));
  EXPECT_TRUE(told.is_complete());
}

TEST(salvage, gives_nothing_of_a_batch_whose_header_has_changed) {
  segment_bytes segment;
  const std::size_t place = segment.add(1, 3);
  segment.flip(place + 5);
  salvaged_batch told;
  EXPECT_EQ(segment.fences(place, 1, &told), numbers{});
  EXPECT_FALSE(told.announced);
}

TEST(infer_segment, tells_what_a_file_without_a_header_was) {
  segment_bytes segment;
  EXPECT_FALSE(infer_segment(segment.bytes()));
  const std::size_t first = segment.add(7, 1);
  segment.add(8, 1);
  auto inferred = infer_segment(segment.bytes());
  ASSERT_TRUE(inferred);
  EXPECT_EQ(inferred->generation, generation);
  EXPECT_EQ(inferred->first_sequence, 7u);
  EXPECT_TRUE(inferred->from_the_start);
  segment.flip(first + 16);
  inferred = infer_segment(segment.bytes());
  ASSERT_TRUE(inferred);
  EXPECT_EQ(inferred->first_sequence, 8u);
  EXPECT_FALSE(inferred->from_the_start);
}

}  // namespace
}  // namespace onceward::journal
