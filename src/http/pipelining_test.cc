// Two messages one behind the other, in every combination of framings: what follows a body is the next message, to the
// byte.

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "http/transcript_test.h"

namespace onceward::http {

namespace {

struct message {
  std::string_view name;
  std::string_view bytes;
  std::string_view reading;
};

// The bodies look like the beginning of another message: whoever loses count reads it.
constexpr std::array requests = {
    message{"none", "POST /none HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST /none path=/none authority=a minor=1 framing=none keep-alive\n"
            "  Host: a\n"
            "  body \n"},
    message{"length", "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 18\r\n\r\nGET /x HTTP/1.1\r\n\r",
            "POST /length path=/length authority=a minor=1 framing=length:18 keep-alive\n"
            "  Host: a\n"
            "  Content-Length: 18\n"
            "  body GET\\x20/x\\x20HTTP/1.1\\x0d\\x0a\\x0d\n"},
    message{"empty_length", "POST /empty HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
            "POST /empty path=/empty authority=a minor=1 framing=length:0 keep-alive\n"
            "  Host: a\n"
            "  Content-Length: 0\n"
            "  body \n"},
    message{
        "chunked",
        "POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n0\r\n\r\n\r\n3;x=y\r\nGET\r\n0\r\n"
        "Content-Length: 9\r\n\r\n",
        "POST /chunked path=/chunked authority=a minor=1 framing=chunked keep-alive\n"
        "  Host: a\n"
        "  Transfer-Encoding: chunked\n"
        "  body 0\\x0d\\x0a\\x0d\\x0aGET\n"},
    message{"empty_chunked", "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST /c path=/c authority=a minor=1 framing=chunked keep-alive\n"
            "  Host: a\n"
            "  Transfer-Encoding: chunked\n"
            "  body \n"},
};

TEST(pipelined_requests, are_each_read_exactly_whatever_their_framings) {
  for (const message& first : requests) {
    for (const message& second : requests) {
      const std::string bytes = std::string(first.bytes) + std::string(second.bytes);
      const std::string expected = std::string(first.reading) + std::string(second.reading) + "end\n";
      EXPECT_EQ(transcript::requests_in_every_cut(bytes), expected) << first.name << " then " << second.name;
    }
  }
}

TEST(pipelined_requests, are_each_read_exactly_in_a_row_of_all_of_them) {
  std::string bytes;
  std::string expected;
  for (const message& one : requests) {
    bytes += one.bytes;
    expected += one.reading;
  }
  EXPECT_EQ(transcript::requests_in_every_cut(bytes), expected + "end\n");
}

TEST(pipelined_requests, cut_short_are_never_taken_for_whole) {
  for (const message& one : requests) {
    for (std::size_t size = 1; size < one.bytes.size(); ++size) {
      const std::string reading = transcript::read_requests(one.bytes.substr(0, size));
      EXPECT_TRUE(reading.ends_with("incomplete\n") || reading.ends_with("body_truncated\n"))
          << one.name << " cut to " << size << ":\n"
          << reading;
    }
  }
}

TEST(a_response, cut_short_is_never_taken_for_whole) {
  constexpr std::array responses = {
      std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
      std::string_view("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
      std::string_view("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"),
  };
  for (const std::string_view response : responses) {
    EXPECT_TRUE(transcript::response_in_every_cut(response).ends_with("\nend\n"));
    for (std::size_t size = 0; size < response.size(); ++size) {
      const std::string reading = transcript::read_response(response.substr(0, size));
      EXPECT_TRUE(reading.ends_with("incomplete\n") || reading.ends_with("body_truncated\n"))
          << response.substr(0, size) << ":\n"
          << reading;
    }
  }
}

}  // namespace

}  // namespace onceward::http
