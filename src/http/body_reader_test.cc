#include "http/body_reader.h"

#include <gtest/gtest.h>

#include <string_view>

namespace onceward::http {

namespace {

body_progress progress_of(const std::variant<body_progress, parse_error>& step) {
  return std::get<body_progress>(step);
}

TEST(body_reader, is_done_at_once_where_there_is_no_body) {
  for (const body_framing& framing : {body_framing{no_body{}}, body_framing{content_length{0}}}) {
    body_reader body(framing, {});
    EXPECT_TRUE(body.done());
    const auto progress = progress_of(body.consume("next message"));
    EXPECT_TRUE(progress.done);
    EXPECT_EQ(progress.consumed, 0U);
    EXPECT_EQ(body.finish(), std::nullopt);
  }
}

TEST(body_reader, takes_a_declared_length_and_not_a_byte_more) {
  body_reader body(content_length{5}, {});
  auto progress = progress_of(body.consume("he"));
  EXPECT_EQ(progress.data, "he");
  EXPECT_FALSE(progress.done);
  progress = progress_of(body.consume("lloGET /"));
  EXPECT_EQ(progress.data, "llo");
  EXPECT_EQ(progress.consumed, 3U);
  EXPECT_TRUE(progress.done);
  EXPECT_EQ(body.data_bytes(), 5U);
}

TEST(body_reader, takes_everything_until_the_peer_closes) {
  body_reader body(until_close{}, {});
  EXPECT_FALSE(body.done());
  EXPECT_EQ(progress_of(body.consume("hello")).data, "hello");
  EXPECT_FALSE(body.done());
  EXPECT_EQ(body.finish(), std::nullopt);
  EXPECT_TRUE(body.done());
}

TEST(body_reader, calls_a_body_truncated_when_the_peer_closes_before_its_end) {
  body_reader length(content_length{5}, {});
  EXPECT_EQ(progress_of(length.consume("hell")).data, "hell");
  EXPECT_EQ(length.finish(), parse_error::body_truncated);

  body_reader chunks(chunked{}, {});
  EXPECT_EQ(progress_of(chunks.consume("5\r\nhello")).data, "hello");
  EXPECT_EQ(chunks.finish(), parse_error::body_truncated);
}

TEST(body_reader, refuses_a_declared_length_over_the_limit_before_any_data) {
  const body_limits limits{.body_bytes_max = 5};
  EXPECT_EQ(progress_of(body_reader(content_length{5}, limits).consume("hello")).data, "hello");
  EXPECT_EQ(std::get<parse_error>(body_reader(content_length{6}, limits).consume("")), parse_error::body_too_large);
}

TEST(body_reader, refuses_the_first_byte_over_the_limit_of_a_body_without_length) {
  const body_limits limits{.body_bytes_max = 5};
  body_reader body(until_close{}, limits);
  EXPECT_EQ(progress_of(body.consume("hello")).data, "hello");
  EXPECT_EQ(std::get<parse_error>(body.consume("!")), parse_error::body_too_large);

  body_reader chunks(chunked{}, limits);
  EXPECT_EQ(std::get<parse_error>(chunks.consume("6\r\nhello!")), parse_error::body_too_large);
}

TEST(body_reader, gives_each_chunk_in_order) {
  body_reader body(chunked{}, {});
  const std::string_view input = "5\r\nhello\r\n1\r\n!\r\n0\r\nX: y\r\n\r\nGET";
  const auto first = progress_of(body.consume(input));
  EXPECT_EQ(first.data, "hello");
  const auto second = progress_of(body.consume(input.substr(first.consumed)));
  EXPECT_EQ(second.data, "!");
  const auto last = progress_of(body.consume(input.substr(first.consumed + second.consumed)));
  EXPECT_TRUE(last.data.empty());
  EXPECT_TRUE(last.done);
  EXPECT_EQ(input.substr(first.consumed + second.consumed + last.consumed), "GET");
  EXPECT_EQ(body.data_bytes(), 6U);
}

}  // namespace

}  // namespace onceward::http
