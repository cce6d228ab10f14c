#include "http/kept_head.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "http/head_reader.h"
#include "http/transcript_test.h"

namespace onceward::http {

namespace {

TEST(kept_head, outlives_the_bytes_and_the_reader_of_a_request) {
  kept_request_head kept;
  std::string expected;
  {
    request_head_reader reader;
    const std::string input = "\r\nPOST http://b?q HTTP/1.1\r\nHost: a\r\nX: \r\nY: z\r\n\r\n";
    const auto outcome = reader.feed(input);
    const auto& head = std::get<request_head_view>(outcome);
    expected = transcript::describe(head);
    kept.assign(head);
  }
  EXPECT_EQ(transcript::describe(kept.view()), expected);
  EXPECT_EQ(kept.view().path, "/");
  EXPECT_EQ(kept.view().authority, "b");
}

TEST(kept_head, outlives_the_bytes_and_the_reader_of_a_response) {
  kept_response_head kept;
  std::string expected;
  {
    response_head_reader reader;
    // White space before a colon: the reader's views are not of the input.
    const std::string input = "HTTP/1.1 200 a reason\r\nX : y\r\nContent-Length: 3\r\n\r\n";
    const auto outcome = reader.feed(input);
    const auto& head = std::get<response_head_view>(outcome);
    expected = transcript::describe(head);
    kept.assign(head);
  }
  EXPECT_EQ(transcript::describe(kept.view()), expected);
}

TEST(kept_head, stays_valid_when_it_is_moved) {
  kept_request_head kept;
  request_head_reader reader;
  const auto outcome = reader.feed("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto& head = std::get<request_head_view>(outcome);
  kept.assign(head);
  const kept_request_head moved = std::move(kept);
  EXPECT_EQ(transcript::describe(moved.view()), transcript::describe(head));
}

TEST(kept_head, is_assigned_again_without_a_trace_of_the_first) {
  kept_request_head kept;
  for (const std::string path : {"/a/long/path/that/needs/room", "/b"}) {
    request_head_reader reader;
    const std::string input = "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n";
    const auto outcome = reader.feed(input);
    kept.assign(std::get<request_head_view>(outcome));
    EXPECT_EQ(kept.view().path, path);
    EXPECT_EQ(kept.view().raw, input);
  }
}

}  // namespace

}  // namespace onceward::http
