#include "http/head_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "http/transcript_test.h"

namespace onceward::http {

namespace {

using transcript::requests_in_every_cut;
using transcript::response_in_every_cut;

std::string last_line(const std::string& text) {
  const std::size_t before = text.rfind('\n', text.size() - 2);
  return text.substr(before == std::string::npos ? 0 : before + 1);
}

std::string verdict(const std::string& bytes, const head_limits& limits) {
  return last_line(requests_in_every_cut(bytes, {.head = limits}));
}

TEST(request_head_reader, limits_the_request_line_to_the_byte) {
  const head_limits limits{.start_line_bytes_max = 30};
  const auto request = [](std::size_t line_bytes) {
    return "GET /" + std::string(line_bytes - 14, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  };
  EXPECT_EQ(verdict(request(30), limits), "end\n");
  EXPECT_EQ(verdict(request(31), limits), "target_too_long\n");
  EXPECT_EQ(verdict("\r\n" + request(30), limits), "end\n");
  EXPECT_EQ(verdict("GET /" + std::string(100, 'x'), limits), "target_too_long\n");
}

TEST(request_head_reader, limits_the_method_to_the_byte) {
  const head_limits limits{.start_line_bytes_max = 60, .method_bytes_max = 5};
  EXPECT_EQ(verdict("ABCDE / HTTP/1.1\r\nHost: a\r\n\r\n", limits), "end\n");
  EXPECT_EQ(verdict("ABCDEF / HTTP/1.1\r\nHost: a\r\n\r\n", limits), "method_too_long\n");
  EXPECT_EQ(verdict(std::string(100, 'A'), limits), "method_too_long\n");
  EXPECT_EQ(verdict("{\"amount\": 100, \"currency\": \"eur\", \"description\": \"a line without an end\"}", limits),
            "method_malformed\n");
}

TEST(request_head_reader, limits_the_whole_head_to_the_byte) {
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\nX: yyyyyyyyyyyyyy\r\n\r\n";
  EXPECT_EQ(verdict(request, {.head_bytes_max = request.size()}), "end\n");
  EXPECT_EQ(verdict(request, {.head_bytes_max = request.size() - 1}), "head_too_large\n");
  EXPECT_EQ(verdict("\r\n" + request, {.head_bytes_max = request.size()}), "end\n");
  EXPECT_EQ(verdict("\r\n" + request, {.head_bytes_max = request.size() - 1}), "head_too_large\n");
  EXPECT_EQ(verdict("GET / HTTP/1.1\r\nX: " + std::string(100, 'y'), {.head_bytes_max = 50}), "head_too_large\n");
}

TEST(request_head_reader, limits_the_number_of_fields) {
  const head_limits limits{.fields_max = 3};
  EXPECT_EQ(verdict("GET / HTTP/1.1\r\nHost: a\r\nX:\r\nX:\r\n\r\n", limits), "end\n");
  EXPECT_EQ(verdict("GET / HTTP/1.1\r\nHost: a\r\nX:\r\nX:\r\nX:\r\n\r\n", limits), "too_many_fields\n");
  EXPECT_EQ(verdict("GET / HTTP/1.1\r\nHost: a\r\nX_Y:\r\nX_Y:\r\nX_Y:\r\n\r\n", limits), "too_many_fields\n");
}

TEST(request_head_reader, limits_the_connection_lines_together) {
  const auto request = [](std::size_t bytes) {
    return "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, y\r\nConnection: " + std::string(bytes - 4, 'z') + "\r\n\r\n";
  };
  EXPECT_EQ(verdict(request(connection_bytes_max), {}), "end\n");
  EXPECT_EQ(verdict(request(connection_bytes_max + 1), {}), "head_too_large\n");
}

TEST(request_head_reader, does_not_count_a_body_towards_the_head) {
  const std::string request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n" + std::string(100, '\n');
  EXPECT_EQ(verdict(request, {.head_bytes_max = 60}), "end\n");
}

TEST(request_head_reader, reads_a_head_of_any_length_in_one_pass) {
  // What was looked at is not looked at again: a byte that would be refused is not seen behind the reader's back.
  request_head_reader reader;
  std::string input = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  ASSERT_TRUE(std::holds_alternative<need_more>(reader.feed(input)));
  input.back() = '\n';
  for (int i = 0; i < 1000; ++i) {
    input += 'y';
    ASSERT_TRUE(std::holds_alternative<need_more>(reader.feed(input)));
  }
}

TEST(request_head_reader, is_idle_between_messages_only) {
  request_head_reader reader;
  EXPECT_TRUE(reader.idle());
  ASSERT_TRUE(std::holds_alternative<need_more>(reader.feed("")));
  EXPECT_TRUE(reader.idle());
  ASSERT_TRUE(std::holds_alternative<need_more>(reader.feed("\r\n")));
  EXPECT_TRUE(reader.idle());
  ASSERT_TRUE(std::holds_alternative<need_more>(reader.feed("\r\nG")));
  EXPECT_FALSE(reader.idle());
  ASSERT_TRUE(std::holds_alternative<request_head_view>(reader.feed("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")));
  EXPECT_FALSE(reader.idle());
  reader.next();
  EXPECT_TRUE(reader.idle());
}

TEST(request_head_reader, gives_views_of_the_input) {
  request_head_reader reader;
  const std::string input = "POST /x?y HTTP/1.1\r\nHost: a\r\nIDEMPOTENCY-KEY: \t\"k\" \r\n\r\nbody";
  const auto outcome = reader.feed(input);
  const auto& head = std::get<request_head_view>(outcome);
  EXPECT_EQ(head.bytes, input.size() - 4);
  EXPECT_EQ(head.raw, input.substr(0, head.bytes));
  EXPECT_EQ(head.verb, method_id::post);
  EXPECT_EQ(head.path.data(), input.data() + 5);
  ASSERT_EQ(head.fields.size(), 2U);
  EXPECT_EQ(head.fields[1].id, field_id::idempotency_key);
  EXPECT_EQ(head.fields[1].value, "\"k\"");
  EXPECT_EQ(head.fields[1].value.data(), input.data() + input.find('"'));
  EXPECT_TRUE(head.ids.has(field_id::idempotency_key));
  EXPECT_FALSE(head.ids.repeats(field_id::idempotency_key));
  EXPECT_FALSE(head.ids.has(field_id::expect));
}

TEST(request_head_reader, keeps_repeated_fields_in_their_order) {
  request_head_reader reader;
  const auto outcome =
      reader.feed("GET / HTTP/1.1\r\nX: 1\r\nHost: a\r\nx: 2\r\nIdempotency-Key: a\r\nIdempotency-Key: a\r\n\r\n");
  const auto& head = std::get<request_head_view>(outcome);
  ASSERT_EQ(head.fields.size(), 5U);
  EXPECT_EQ(head.fields[0], (field_view{"X", "1", field_id::other}));
  EXPECT_EQ(head.fields[2], (field_view{"x", "2", field_id::other}));
  EXPECT_TRUE(head.ids.repeats(field_id::idempotency_key));
}

TEST(request_head_reader, tells_what_the_client_wants_of_its_connection) {
  const auto keeps_alive = [](std::string_view version, std::string_view connection) {
    request_head_reader reader;
    const std::string input = "GET / " + std::string(version) + "\r\nHost: a\r\n" + std::string(connection) + "\r\n";
    const auto outcome = reader.feed(input);
    return std::get<request_head_view>(outcome).keep_alive;
  };
  EXPECT_TRUE(keeps_alive("HTTP/1.1", ""));
  EXPECT_TRUE(keeps_alive("HTTP/1.1", "Connection: keep-alive\r\n"));
  EXPECT_FALSE(keeps_alive("HTTP/1.1", "Connection: CLOSE\r\n"));
  EXPECT_FALSE(keeps_alive("HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
  EXPECT_TRUE(keeps_alive("HTTP/1.1", "Proxy-Connection: close\r\n"));
  EXPECT_FALSE(keeps_alive("HTTP/1.0", ""));
  EXPECT_TRUE(keeps_alive("HTTP/1.0", "Connection: Keep-Alive\r\n"));
  EXPECT_FALSE(keeps_alive("HTTP/1.0", "Connection: keep-alive, close\r\n"));
}

TEST(response_head_reader, limits_the_status_line_and_the_head_to_the_byte) {
  const std::string response = "HTTP/1.1 200 yyyyy\r\nContent-Length: 0\r\n\r\n";
  const auto verdict_of = [&response](const head_limits& limits) {
    return last_line(response_in_every_cut(response, {.head = limits}));
  };
  EXPECT_EQ(verdict_of({.start_line_bytes_max = 18}), "end\n");
  EXPECT_EQ(verdict_of({.start_line_bytes_max = 17}), "status_line_malformed\n");
  EXPECT_EQ(verdict_of({.head_bytes_max = response.size()}), "end\n");
  EXPECT_EQ(verdict_of({.head_bytes_max = response.size() - 1}), "head_too_large\n");
  EXPECT_EQ(verdict_of({.fields_max = 1}), "end\n");
  EXPECT_EQ(verdict_of({.fields_max = 0}), "too_many_fields\n");
}

TEST(response_head_reader, counts_interim_responses_for_each_request_anew) {
  response_head_reader reader({.interim_responses_max = 1});
  for (int i = 0; i < 3; ++i) {
    reader.start(method_id::post);
    ASSERT_TRUE(std::holds_alternative<response_head_view>(reader.feed("HTTP/1.1 100 Continue\r\n\r\n")));
    reader.next();
    ASSERT_TRUE(
        std::holds_alternative<response_head_view>(reader.feed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")));
  }
}

TEST(head_scanner_death, is_not_fed_again_after_a_head) {
  request_head_reader reader;
  const std::string_view input = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  ASSERT_TRUE(std::holds_alternative<request_head_view>(reader.feed(input)));
  EXPECT_DEATH(reader.feed(input), "assertion failed");
}

}  // namespace

}  // namespace onceward::http
