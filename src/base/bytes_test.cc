#include "base/bytes.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <utility>

namespace onceward::base {

namespace {

TEST(byte_buffer, gives_back_what_was_written_in_order) {
  byte_buffer buffer;
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.readable(), "");
  buffer.append("hello ");
  buffer.append("");
  buffer.append("world");
  EXPECT_EQ(buffer.readable(), "hello world");
  buffer.consume(6);
  EXPECT_EQ(buffer.readable(), "world");
  EXPECT_EQ(buffer.size(), 5U);
  buffer.consume(5);
  EXPECT_TRUE(buffer.empty());
}

TEST(byte_buffer, makes_readable_what_was_committed_of_the_prepared_room) {
  byte_buffer buffer;
  const auto room = buffer.prepare(100);
  ASSERT_GE(room.size(), 100U);
  std::memcpy(room.data(), "abc", 3);
  EXPECT_TRUE(buffer.empty());
  buffer.commit(2);
  EXPECT_EQ(buffer.readable(), "ab");
}

TEST(byte_buffer, does_not_move_what_is_read_when_bytes_are_consumed) {
  byte_buffer buffer;
  buffer.append("hello world");
  const char* world = buffer.readable().data() + 6;
  buffer.consume(6);
  EXPECT_EQ(buffer.readable().data(), world);
}

TEST(byte_buffer, does_not_allocate_in_steady_state) {
  byte_buffer buffer;
  buffer.append(std::string(100, 'x'));
  const std::size_t capacity = buffer.capacity();
  const char* const storage = buffer.prepare(0).data() - buffer.size();
  for (int i = 0; i < 1000; ++i) {
    buffer.append(std::string(100, static_cast<char>('a' + i % 26)));
    buffer.consume(100);
  }
  EXPECT_EQ(buffer.capacity(), capacity);
  EXPECT_GE(buffer.readable().data(), storage);
  EXPECT_LT(buffer.readable().data(), storage + capacity);
  EXPECT_EQ(buffer.readable(), std::string(100, static_cast<char>('a' + 999 % 26)));
}

// Against a plain string, with sizes that make it grow, slide and start again.
TEST(byte_buffer, is_a_queue_of_bytes_however_it_is_used) {
  byte_buffer buffer;
  std::string model;
  unsigned state = 1;
  const auto next = [&state](unsigned below) {
    state = state * 1664525U + 1013904223U;
    return (state >> 8) % below;
  };
  for (int i = 0; i < 20000; ++i) {
    if (next(2) == 0) {
      const std::string bytes(next(700), static_cast<char>('a' + next(26)));
      buffer.append(bytes);
      model += bytes;
    } else {
      const std::size_t size = model.empty() ? 0 : next(static_cast<unsigned>(model.size()) + 1);
      buffer.consume(size);
      model.erase(0, size);
    }
    ASSERT_EQ(buffer.readable(), model);
  }
}

TEST(byte_buffer, gives_up_the_memory_of_a_large_message_when_it_is_empty) {
  byte_buffer buffer;
  buffer.append(std::string(100000, 'x'));
  buffer.release_above(4096);
  EXPECT_EQ(buffer.size(), 100000U);
  buffer.clear();
  buffer.release_above(200000);
  EXPECT_GE(buffer.capacity(), 100000U);
  buffer.release_above(4096);
  EXPECT_EQ(buffer.capacity(), 0U);
  buffer.append("again");
  EXPECT_EQ(buffer.readable(), "again");
}

TEST(byte_buffer, leaves_nothing_behind_when_it_is_moved) {
  byte_buffer first;
  first.append("hello");
  byte_buffer second = std::move(first);
  EXPECT_EQ(second.readable(), "hello");
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): what is left is the point.
  byte_buffer third;
  third.append("old");
  third = std::move(second);
  EXPECT_EQ(third.readable(), "hello");
}

TEST(byte_buffer_death, does_not_give_more_than_it_has) {
  byte_buffer buffer;
  buffer.append("abc");
  EXPECT_DEATH(buffer.consume(4), "assertion failed");
  EXPECT_DEATH(buffer.commit(buffer.capacity()), "assertion failed");
}

}  // namespace

}  // namespace onceward::base
