#include "stores/journal/journal.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

namespace onceward::journal {
namespace {

wall_time now() {
  return wall_time{std::chrono::milliseconds{1'767'225'600'000}};
}

class journal_in_a_directory : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = (std::filesystem::temp_directory_path() / "onceward-journal-XXXXXX").string();
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    directory_ = path;
    chosen_.segment_bytes = 64u << 10;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  tl::expected<std::unique_ptr<journal>, open_error> open() { return journal::open(directory_, chosen_, now); }

  std::string directory_;
  options chosen_;
};

TEST_F(journal_in_a_directory, is_made_and_then_opened) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(open());
}

TEST_F(journal_in_a_directory, leaves_other_files_alone) {
  std::ofstream(directory_ + "/secret") << "kept by somebody else";
  ASSERT_TRUE(open());
  ASSERT_TRUE(open());
  std::ifstream file(directory_ + "/secret");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "kept by somebody else");
}

TEST_F(journal_in_a_directory, is_told_as_held_to_a_second_opener) {
  const auto first = open();
  ASSERT_TRUE(first);
  const auto second = open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().reason, errc::busy);
  EXPECT_EQ(second.error().message, "the journal in " + directory_ + " is held by process " +
                                        std::to_string(::getpid()) + " since 2026-01-01T00:00:00Z");
}

TEST_F(journal_in_a_directory, keeps_the_length_of_its_segments) {
  ASSERT_TRUE(open());
  chosen_.segment_bytes = 128u << 10;
  chosen_.bytes_limit = 8 * chosen_.segment_bytes;
  const auto opened = open();
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ((*opened)->statistics().bytes % (64u << 10), 0u);
}

TEST_F(journal_in_a_directory, refuses_a_file_in_the_place_of_its_directory) {
  const std::string file = directory_ + "/file";
  std::ofstream{file} << "x";
  const auto refused = journal::open(file, chosen_, now);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find(file), std::string::npos);
}

TEST_F(journal_in_a_directory, refuses_options_that_cannot_work) {
  const auto refuses = [&](std::uint64_t segment_bytes, std::uint64_t bytes_limit) {
    chosen_.segment_bytes = segment_bytes;
    chosen_.bytes_limit = bytes_limit;
    const auto refused = open();
    return !refused && refused.error().reason == errc::invalid && !refused.error().message.empty();
  };
  EXPECT_TRUE(refuses(32u << 10, 1u << 30));
  EXPECT_TRUE(refuses((64u << 10) + 1, 1u << 30));
  EXPECT_TRUE(refuses(2ull << 30, 1ull << 40));
  EXPECT_TRUE(refuses(64u << 10, 4 * (64u << 10) - 1));
  EXPECT_FALSE(refuses(64u << 10, 4 * (64u << 10)));
}

}  // namespace
}  // namespace onceward::journal
