#include "stores/journal/posix_disk.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stores/journal/block_buffer.h"

namespace onceward::journal {
namespace {

class posix_disk : public testing::TestWithParam<page_cache> {
 protected:
  void SetUp() override {
    std::string path = (std::filesystem::temp_directory_path() / "onceward-disk-XXXXXX").string();
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    directory_ = path + "/journal";
    auto opened = open_posix_disk(directory_, GetParam());
    ASSERT_TRUE(opened);
    disk_ = *std::move(opened);
  }
  void TearDown() override {
    disk_.reset();
    std::filesystem::remove_all(std::filesystem::path(directory_).parent_path());
  }

  std::string directory_;
  std::unique_ptr<disk> disk_;
};

TEST_P(posix_disk, makes_its_directory_for_its_owner_alone) {
  struct stat status{};
  ASSERT_EQ(::stat(directory_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0700u);
  EXPECT_TRUE(open_posix_disk(directory_, GetParam()));
}

TEST_P(posix_disk, does_not_make_the_parents_of_its_directory) {
  const auto opened = open_posix_disk(directory_ + "/a/b", GetParam());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().reason, errc::not_found);
  EXPECT_FALSE(describe(opened.error()).empty());
}

TEST_P(posix_disk, reads_what_was_written) {
  auto file = disk_->create("f");
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->preallocate(16 * block_bytes));
  EXPECT_EQ(*(*file)->size(), 16 * block_bytes);

  block_buffer memory(2 * block_bytes);
  std::memset(memory.data(), 'x', 2 * block_bytes);
  ASSERT_TRUE((*file)->write_at(3 * block_bytes, memory.first(2 * block_bytes)));
  (*file)->start_write_back(3 * block_bytes, 2 * block_bytes);
  ASSERT_TRUE((*file)->sync());

  auto again = disk_->open("f");
  ASSERT_TRUE(again);
  block_buffer read(4 * block_bytes);
  ASSERT_TRUE((*again)->read_at(2 * block_bytes, read.first(4 * block_bytes)));
  EXPECT_EQ(read.data()[0], std::byte{0});
  EXPECT_EQ(read.data()[block_bytes], std::byte{'x'});
  EXPECT_EQ(read.data()[3 * block_bytes - 1], std::byte{'x'});
  EXPECT_EQ(read.data()[3 * block_bytes], std::byte{0});
}

TEST_P(posix_disk, allots_the_space_of_a_file_when_it_is_made) {
  constexpr std::uint64_t bytes = 3u << 20;
  auto file = disk_->create("f");
  ASSERT_TRUE(file && (*file)->preallocate(bytes));
  struct stat status{};
  ASSERT_EQ(::stat((directory_ + "/f").c_str(), &status), 0);
  EXPECT_GE(static_cast<std::uint64_t>(status.st_blocks) * 512, bytes);
}

TEST_P(posix_disk, refuses_to_read_beyond_the_end) {
  auto file = disk_->create("f");
  ASSERT_TRUE(file && (*file)->preallocate(block_bytes));
  block_buffer memory(2 * block_bytes);
  EXPECT_FALSE((*file)->read_at(0, memory.first(2 * block_bytes)));
  EXPECT_FALSE((*file)->read_at(block_bytes, memory.first(block_bytes)));
}

TEST_P(posix_disk, opens_only_what_is_there_and_makes_only_what_is_not) {
  const auto missing = disk_->open("f");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().reason, errc::not_found);
  ASSERT_TRUE(disk_->create("f"));
  EXPECT_FALSE(disk_->create("f"));
  EXPECT_TRUE(disk_->open("f"));
}

TEST_P(posix_disk, lists_renames_and_removes_files) {
  ASSERT_TRUE(disk_->create("b"));
  ASSERT_TRUE(disk_->create("a"));
  EXPECT_EQ(*disk_->list(), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(disk_->rename("a", "c"));
  EXPECT_TRUE(disk_->remove("b"));
  EXPECT_TRUE(disk_->sync_directory());
  EXPECT_EQ(*disk_->list(), std::vector<std::string>{"c"});
  EXPECT_FALSE(disk_->rename("a", "d"));
  EXPECT_FALSE(disk_->remove("a"));
}

TEST_P(posix_disk, is_locked_by_one_at_a_time_and_tells_by_whom) {
  std::string held_by;
  auto first = disk_->lock("lock", "the first one, whose name is long", held_by);
  ASSERT_TRUE(first);
  auto other_disk = open_posix_disk(directory_, GetParam());
  ASSERT_TRUE(other_disk);
  const auto second = (*other_disk)->lock("lock", "the second", held_by);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().reason, errc::busy);
  EXPECT_EQ(held_by, "the first one, whose name is long");
  first->reset();
  auto third = (*other_disk)->lock("lock", "the third", held_by);
  ASSERT_TRUE(third);
  EXPECT_FALSE(disk_->lock("lock", "the fourth", held_by));
  EXPECT_EQ(held_by, "the third");
}

TEST_P(posix_disk, tells_a_full_file_system_from_other_errors) {
  auto file = disk_->create("f");
  ASSERT_TRUE(file);
  // More than any file system has.
  const auto made = (*file)->preallocate(1ull << 60);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().reason, errc::full) << describe(made.error());
}

INSTANTIATE_TEST_SUITE_P(with, posix_disk, testing::Values(page_cache::bypassed, page_cache::used),
                         [](const auto& tested) {
                           return tested.param == page_cache::used ? "page_cache" : "direct_io";
                         });

}  // namespace
}  // namespace onceward::journal
