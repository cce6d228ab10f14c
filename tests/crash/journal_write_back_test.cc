// What is not synced with each batch is handed to the disk as it is written, so that no sync has much to do.

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "simulated_disk.h"
#include "stores/journal/log_writer.h"
#include "stores/journal/segment_header.h"
#include "stores/journal/segments.h"

namespace onceward::crash {
namespace {

constexpr std::uint64_t segment_bytes = 8u << 20;
constexpr std::uint64_t handed_over_at = 1u << 20;
constexpr std::uint64_t entry_bytes = 100u << 10;

class write_back_of_a_log : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(segments_.add_file() && segments_.add_file()); }

  // A batch for each entry, until the log goes on in another segment. Returns where the full one ends.
  std::uint64_t fill_segment(journal::durability level) {
    journal::log_writer log(segments_, {}, level, [] { return wall_time{}; }, [] { return 0u; });
    const std::string body(entry_bytes, 'x');
    journal::location first, where, before;
    EXPECT_TRUE(log.add(body, first) && log.write());
    where = first;
    while (where.in == first.in && !HasFailure()) {
      before = where;
      EXPECT_TRUE(log.add(body, where) && log.write());
    }
    return before.offset + before.bytes;
  }

  simulated_disk disk_;
  const std::unique_ptr<journal::disk> mounted_ = disk_.mount();
  journal::segment_set segments_{*mounted_, segment_bytes, 4};
};

TEST_F(write_back_of_a_log, begins_piece_by_piece_where_batches_are_not_synced) {
  const std::uint64_t end = fill_segment(journal::durability::written);
  const std::vector<write_back> begun = disk_.write_backs();
  ASSERT_FALSE(begun.empty());
  std::uint64_t handed_over = journal::segment_header_bytes;
  for (const write_back& each : begun) {
    EXPECT_EQ(each.file, begun.front().file);
    EXPECT_EQ(each.offset, handed_over);
    EXPECT_GE(each.bytes, handed_over_at);
    EXPECT_LT(each.bytes, handed_over_at + 2 * entry_bytes);
    handed_over += each.bytes;
  }
  EXPECT_LE(handed_over, end + journal::block_bytes);
  EXPECT_GT(handed_over + handed_over_at, end);
}

TEST_F(write_back_of_a_log, is_not_asked_for_where_they_are) {
  fill_segment(journal::durability::synced);
  EXPECT_TRUE(disk_.write_backs().empty());
}

}  // namespace
}  // namespace onceward::crash
