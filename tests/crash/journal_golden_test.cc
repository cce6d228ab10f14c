// A journal that version 1 of the format wrote in November 2026. It is opened with exactly these records for ever.
//
// The file has a line for each segment file (name, length) and one for each stretch of it that is not zero (offset,
// bytes in hexadecimal).

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include "base/hex.h"
#include "damaged_journal.h"
#include "journal_rig.h"
#include "sample_commands.h"
#include "settable_clock.h"
#include "simulated_disk.h"
#include "stores/journal_check/verify.h"

namespace onceward::crash {
namespace {

const std::string golden = ONCEWARD_SOURCE_DIR "/tests/crash/golden/journal-1.txt";
// What the journal says of each key to one who opens it a minute later.
const std::string golden_records = ONCEWARD_SOURCE_DIR "/tests/crash/golden/journal-1.records.txt";

platter read_golden() {
  platter disk;
  std::ifstream file(golden);
  EXPECT_TRUE(file) << golden;
  std::string name;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string first;
    std::string second;
    words >> first >> second;
    if (first.starts_with("segment-")) {
      name = first;
      disk.put(name, std::string(std::stoul(second), '\0'));
      continue;
    }
    const std::size_t offset = std::stoul(first);
    for (std::size_t i = 0; i + 1 < second.size(); i += 2)
      disk.bytes_of(name)[offset + i / 2] = static_cast<std::byte>(std::stoul(second.substr(i, 2), nullptr, 16));
  }
  return disk;
}

// Two segments, every state of a record, one whose response is not kept, one whose body spans blocks, one that expired,
// one that was superseded often; and a write that was cut short.
platter make_golden() {
  journal_rig rig(keys_in_sample);
  EXPECT_FALSE(rig.open(journal::run_by::steps));
  rig.run(conformance::claim_of(0, 1));
  rig.run(conformance::completed_of(0, 1, std::string(5'000, 'b')));
  rig.run(conformance::claim_of(1, 2));
  rig.run(conformance::unknown_of(1, 2));
  rig.run(conformance::claim_of(2, 3));
  rig.run(conformance::release_of(2, 3));
  rig.run(conformance::claim_of(3, 4));
  rig.run(conformance::claim_of(4, 5));
  complete without_response = conformance::completed_of(4, 5);
  std::get<outcome_completed>(without_response.outcome).response = nullptr;
  rig.run(without_response);
  claim brief = conformance::claim_of(5, 6);
  brief.retention = std::chrono::milliseconds{1};
  rig.run(brief);
  rig.run(conformance::release_of(5, 6));
  rig.run_together(std::vector<command>{conformance::claim_of(6, 7), conformance::claim_of(7, 8)});
  rig.run(conformance::completed_of(7, 8, "in the second segment"));
  rig.run(conformance::release_of(6, 7));
  rig.run(conformance::claim_of(6, 9));
  rig.run(conformance::completed_of(6, 9, "the last one"));
  rig.run(conformance::claim_of(8, 10));
  rig.run(conformance::completed_of(8, 10, std::string(5'000, 'c')));
  rig.close();
  platter left = rig.disk().snapshot();
  const placed_entry cut_short = entries_of(left).back();
  auto& bytes = left.bytes_of(cut_short.file);
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(cut_short.end - journal::block_bytes),
            bytes.begin() + static_cast<std::ptrdiff_t>(cut_short.end), std::byte{0});
  return left;
}

TEST(journal_of_version_1, is_sound_and_has_its_records) {
  simulated_disk disk(read_golden());
  const auto mounted = disk.mount();
  const auto verified = journal::verify(*mounted, conformance::settable_clock().now() + std::chrono::seconds{1});
  ASSERT_TRUE(verified) << verified.error().message;
  EXPECT_TRUE(verified->is_sound());
  EXPECT_TRUE(verified->log.is_torn);
  EXPECT_EQ(verified->log.newest_generation, 2u);
  EXPECT_EQ(verified->log.batches, 17u);
  EXPECT_EQ(verified->log.entries, 18u);
  EXPECT_EQ(verified->log.largest_fence, 10u);
  EXPECT_EQ(verified->log.next_sequence, 18u);
  EXPECT_EQ(verified->records.in_flight, 2u);
  EXPECT_EQ(verified->records.completed, 4u);
  EXPECT_EQ(verified->records.released, 1u);
  EXPECT_EQ(verified->records.unknown, 1u);
  EXPECT_EQ(verified->records.expired, 1u);
}

TEST(journal_of_version_1, is_opened_with_exactly_its_records) {
  const auto is = contents_of(read_golden());
  ASSERT_TRUE(is);
  std::ifstream file(golden_records);
  contents should_be;
  for (std::string line; std::getline(file, line);)
    should_be[std::stoul(line)] = line.substr(line.find(' ') + 1);
  ASSERT_EQ(should_be.size(), keys_in_sample);
  EXPECT_EQ(*is, should_be);
}

// With ONCEWARD_WRITE_GOLDEN, for a version that comes; that of this one stays as it is.
TEST(journal_of_version_1, is_written_anew_where_that_is_asked_for) {
  if (std::getenv("ONCEWARD_WRITE_GOLDEN") == nullptr) GTEST_SKIP();
  const platter made = make_golden();
  std::ofstream file(golden);
  for (const std::string& name : made.names()) {
    const auto bytes = made.read(name);
    if (bytes[0] == std::byte{0}) continue;
    file << name << " " << bytes.size() << "\n";
    constexpr std::size_t line_bytes = 48;
    for (std::size_t at = 0; at < bytes.size(); at += line_bytes) {
      std::size_t begin = at;
      std::size_t end = std::min(bytes.size(), at + line_bytes);
      while (begin < end && bytes[begin] == std::byte{0})
        ++begin;
      while (end > begin && bytes[end - 1] == std::byte{0})
        --end;
      if (begin < end) file << begin << " " << base::to_hex(bytes.subspan(begin, end - begin)) << "\n";
    }
  }
}

}  // namespace
}  // namespace onceward::crash
