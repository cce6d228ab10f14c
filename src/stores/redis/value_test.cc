#include "stores/redis/value.h"

#include <gtest/gtest.h>

#include <string>

namespace onceward::redis {
namespace {

value read_whole(std::string_view bytes) {
  value_reader reader;
  EXPECT_TRUE(reader.feed(bytes));
  auto told = reader.next();
  EXPECT_TRUE(told && *told) << bytes;
  return told && *told ? **std::move(told) : value{};
}

errc refusal_of(std::string_view bytes) {
  value_reader reader;
  if (!reader.feed(bytes)) return errc::too_large;
  const auto told = reader.next();
  return told ? errc::closed : told.error();
}

TEST(value_reader, reads_each_kind) {
  EXPECT_EQ(read_whole("+OK\r\n").what, value::kind::status);
  EXPECT_EQ(read_whole("-OOM no\r\n").text, "OOM no");
  EXPECT_EQ(read_whole(":-7\r\n").number, -7);
  EXPECT_EQ(read_whole("$3\r\na\r\n\r\n").text, "a\r\n");
  EXPECT_TRUE(read_whole("$-1\r\n").is(value::kind::nothing));
  EXPECT_TRUE(read_whole("*-1\r\n").is(value::kind::nothing));
  const value list = read_whole("*3\r\n:1\r\n*2\r\n$1\r\nx\r\n$-1\r\n$0\r\n\r\n");
  ASSERT_EQ(list.items.size(), 3u);
  EXPECT_EQ(list.items[0].number, 1);
  ASSERT_EQ(list.items[1].items.size(), 2u);
  EXPECT_EQ(list.items[1].items[0].text, "x");
  EXPECT_TRUE(list.items[1].items[1].is(value::kind::nothing));
  EXPECT_TRUE(list.items[2].is(value::kind::text));
}

TEST(value_reader, reads_one_byte_at_a_time_and_several_at_once) {
  const std::string bytes = "*2\r\n$2\r\nab\r\n:5\r\n+OK\r\n:6\r\n";
  value_reader reader;
  std::vector<value> read;
  for (const char each : bytes) {
    ASSERT_TRUE(reader.feed({&each, 1}));
    auto told = reader.next();
    ASSERT_TRUE(told);
    if (*told) read.push_back(**std::move(told));
  }
  ASSERT_EQ(read.size(), 3u);
  EXPECT_EQ(read[0].items[0].text, "ab");
  EXPECT_EQ(read[2].number, 6);

  value_reader at_once;
  ASSERT_TRUE(at_once.feed(bytes));
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(*at_once.next());
  EXPECT_FALSE(*at_once.next());
}

TEST(value_reader, refuses_what_is_no_reply_and_what_is_beyond_a_bound) {
  EXPECT_EQ(refusal_of("HTTP/1.1 400\r\n"), errc::corrupt);
  EXPECT_EQ(refusal_of("$x\r\n"), errc::corrupt);
  EXPECT_EQ(refusal_of("*999999999\r\n"), errc::too_large);
  EXPECT_EQ(refusal_of("*150000\r\n*150000\r\n"), errc::too_large);
  std::string deep;
  for (int i = 0; i < 100; ++i)
    deep += "*1\r\n";
  EXPECT_EQ(refusal_of(deep), errc::corrupt);
}

TEST(value_reader, refuses_a_reply_without_end) {
  value_reader reader;
  ASSERT_TRUE(reader.feed("$2000000000\r\n"));
  const std::string piece(1 << 20, 'x');
  std::size_t fed = 0;
  while (reader.feed(piece)) {
    ASSERT_FALSE(*reader.next());
    fed += piece.size();
    ASSERT_LE(fed, value_reader::bytes_max);
  }
  EXPECT_EQ(reader.next().error(), errc::too_large);
}

}  // namespace
}  // namespace onceward::redis
