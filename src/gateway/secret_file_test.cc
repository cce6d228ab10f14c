#include "gateway/secret_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace onceward::gateway {
namespace {

struct secret_file : testing::Test {
  secret_file() {
    std::string pattern = testing::TempDir() + "/onceward-secret-XXXXXX";
    folder = mkdtemp(pattern.data());
    path = folder + "/secret";
  }
  ~secret_file() override { std::filesystem::remove_all(folder); }
  void write(std::string_view text, mode_t mode = 0600) const {
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
  }
  std::string folder;
  std::string path;
};

TEST_F(secret_file, is_made_once_and_then_found_again) {
  const auto first = read_or_make_secret(path);
  ASSERT_TRUE(first) << first.error();
  EXPECT_TRUE(first->made);
  EXPECT_EQ(first->bytes.size(), secret_bytes);
  const auto second = read_or_make_secret(path);
  ASSERT_TRUE(second) << second.error();
  EXPECT_FALSE(second->made);
  EXPECT_EQ(second->bytes, first->bytes);
  struct stat facts{};
  ASSERT_EQ(stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
}

TEST_F(secret_file, two_secrets_differ) {
  EXPECT_NE(make_secret(), make_secret());
}

TEST_F(secret_file, takes_hexadecimal_digits_with_a_line_end) {
  write(std::string(64, 'a') + "\r\n");
  const auto found = read_secret(path);
  ASSERT_TRUE(found) << found.error();
  EXPECT_EQ(*found, std::string(32, '\xaa'));
}

TEST_F(secret_file, names_the_path_and_what_is_wrong) {
  EXPECT_NE(read_secret(path).error().find(path), std::string::npos) << "not there";
  for (const std::string text : {"", "abc", "zz"}) {
    write(text);
    EXPECT_NE(read_secret(path).error().find("64 hexadecimal digits"), std::string::npos) << text;
  }
  write(std::string(66, 'a'));
  EXPECT_NE(read_secret(path).error().find("64 hexadecimal digits"), std::string::npos);
  write(std::string(200, 'a'));
  EXPECT_NE(read_secret(path).error().find("64 hexadecimal digits"), std::string::npos);
  write(std::string(64, 'a'), 0640);
  EXPECT_NE(read_secret(path).error().find("chmod 600"), std::string::npos);
  EXPECT_NE(read_secret(folder).error().find("regular file"), std::string::npos);
  EXPECT_FALSE(read_or_make_secret(folder + "/no/such/folder/secret"));
}

TEST_F(secret_file, a_broken_secret_is_never_replaced) {
  write("not a secret");
  EXPECT_FALSE(read_or_make_secret(path));
  std::ifstream file(path);
  std::string text;
  std::getline(file, text);
  EXPECT_EQ(text, "not a secret");
}

TEST_F(secret_file, a_directory_with_records_takes_no_other_secret) {
  const std::string first = make_secret();
  const std::string second = make_secret();
  ASSERT_TRUE(claim_directory(folder, first, false));
  EXPECT_TRUE(claim_directory(folder, first, true)) << "the same secret again";
  const auto refused = claim_directory(folder, second, true);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().find(folder + "/secret.id"), std::string::npos);
  EXPECT_TRUE(claim_directory(folder, second, false)) << "nothing depends on the first";
  EXPECT_FALSE(claim_directory(folder, first, true));
  std::filesystem::remove(folder + "/secret.id");
  EXPECT_TRUE(claim_directory(folder, first, true)) << "given up on purpose";
}

TEST_F(secret_file, the_identity_does_not_tell_the_secret) {
  write(std::string(64, 'a'));
  ASSERT_TRUE(claim_directory(folder, *read_secret(path), false));
  std::ifstream file(folder + "/secret.id");
  std::string text;
  std::getline(file, text);
  EXPECT_EQ(text.size(), 32u);
  EXPECT_EQ(text.find("aaaa"), std::string::npos);
}

TEST_F(secret_file, a_directory_that_cannot_be_written_is_told) {
  EXPECT_FALSE(claim_directory(folder + "/no/such/folder", make_secret(), false));
}

}  // namespace
}  // namespace onceward::gateway
