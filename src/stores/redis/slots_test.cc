#include "stores/redis/slots.h"

#include <gtest/gtest.h>

#include "stores/redis/stored_record.h"

namespace onceward::redis {
namespace {

const address asked{"10.0.0.1", 6379};

value read(std::string_view bytes) {
  value_reader reader;
  reader.feed(bytes);
  return **reader.next();
}

// From CLUSTER KEYSLOT of Redis.
TEST(slot_of, is_that_of_redis) {
  EXPECT_EQ(slot_of("123456789"), 12739u);
  EXPECT_EQ(slot_of("foo"), 12182u);
  EXPECT_EQ(slot_of("{foo}.bar"), slot_of("foo"));
  EXPECT_EQ(slot_of("foo{}{bar}"), 8363u);
  EXPECT_EQ(slot_of("{x}"), 16287u);
  EXPECT_EQ(slot_of(""), 0u);
}

TEST(slot_of, is_the_same_for_a_record_and_its_response) {
  record_key key{};
  for (unsigned i = 0; i < 100; ++i) {
    key.bytes[i % 32] = static_cast<std::byte>(i * 7);
    EXPECT_EQ(slot_of(name_of(key)), slot_of(response_name(key, {}, "body")));
  }
}

TEST(redirection, says_where_to_and_whether_for_good) {
  const auto moved = read_redirection("MOVED 3999 127.0.0.1:6381", asked);
  ASSERT_TRUE(moved);
  EXPECT_TRUE(moved->for_good);
  EXPECT_EQ(moved->slot, 3999u);
  EXPECT_EQ(to_text(moved->to), "127.0.0.1:6381");
  const auto ask = read_redirection("ASK 0 ::1:7000", asked);
  ASSERT_TRUE(ask);
  EXPECT_FALSE(ask->for_good);
  EXPECT_EQ(to_text(ask->to), "[::1]:7000");
  EXPECT_EQ(read_redirection("MOVED 1 :6381", asked)->to.host, "10.0.0.1");
  for (const char* const other : {"", "MOVED", "MOVED 1", "MOVED x a:1", "MOVED 16384 a:1", "ASK 1 a", "ASK 1 a:0",
                                  "ASK 1 a:99999", "OOM 1 a:1"}) {
    EXPECT_FALSE(read_redirection(other, asked)) << other;
  }
}

TEST(slot_table, knows_who_has_what) {
  slot_table table;
  EXPECT_EQ(table.node_of(0), nullptr);
  ASSERT_TRUE(table.read(read("*2\r\n*3\r\n:0\r\n:99\r\n*2\r\n$1\r\na\r\n:7000\r\n"
                              "*3\r\n:100\r\n:16383\r\n*2\r\n$0\r\n\r\n:7001\r\n"),
                         asked));
  EXPECT_EQ(to_text(*table.node_of(99)), "a:7000");
  EXPECT_EQ(to_text(*table.node_of(100)), "10.0.0.1:7001");
  table.move(99, {"b", 1});
  EXPECT_EQ(to_text(*table.node_of(99)), "b:1");
  EXPECT_EQ(to_text(*table.node_of(98)), "a:7000");
  EXPECT_EQ(table.nodes().size(), 3u);
}

TEST(slot_table, keeps_what_it_has_where_the_reply_is_none) {
  slot_table table;
  table.move(5, {"b", 1});
  for (const char* const wrong : {"+OK\r\n", "*1\r\n:1\r\n", "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\na\r\n:1\r\n",
                                  "*1\r\n*3\r\n:9\r\n:1\r\n*2\r\n$1\r\na\r\n:1\r\n", "*1\r\n*3\r\n:0\r\n:1\r\n:2\r\n",
                                  "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\na\r\n:70000\r\n"}) {
    EXPECT_FALSE(table.read(read(wrong), asked)) << wrong;
  }
  EXPECT_EQ(to_text(*table.node_of(5)), "b:1");
}

}  // namespace
}  // namespace onceward::redis
