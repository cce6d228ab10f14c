#include "http/writer.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "http/head_reader.h"
#include "http/round_trip_test.h"

namespace onceward::http {

namespace {

std::string forwarded(std::string_view request, const request_forwarding& how = {}) {
  request_head_reader reader;
  const auto outcome = reader.feed(request);
  base::byte_buffer out;
  append_forwarded_request_head(out, std::get<request_head_view>(outcome), how);
  return std::string(out.readable());
}

std::string forwarded_response(std::string_view response, const response_forwarding& how,
                               method_id request_method = method_id::post) {
  response_head_reader reader;
  reader.start(request_method);
  const auto outcome = reader.feed(response);
  base::byte_buffer out;
  append_forwarded_response_head(out, std::get<response_head_view>(outcome), how);
  return std::string(out.readable());
}

TEST(forwarded_request, is_written_in_origin_form_with_its_host_first) {
  EXPECT_EQ(forwarded("GET /a?b HTTP/1.0\r\nX: y\r\nHost: a:80\r\n\r\n"),
            "GET /a?b HTTP/1.1\r\nHost: a:80\r\nX: y\r\n\r\n");
  EXPECT_EQ(forwarded("GET http://b/a? HTTP/1.1\r\nHost: a\r\n\r\n"), "GET /a? HTTP/1.1\r\nHost: b\r\n\r\n");
  EXPECT_EQ(forwarded("GET http://b HTTP/1.1\r\nHost: a\r\n\r\n"), "GET / HTTP/1.1\r\nHost: b\r\n\r\n");
  EXPECT_EQ(forwarded("OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n"), "OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n");
  EXPECT_EQ(forwarded("GET / HTTP/1.1\r\nHost: a\r\n\r\n", {.host = "c:1"}), "GET / HTTP/1.1\r\nHost: c:1\r\n\r\n");
}

TEST(forwarded_request, leaves_the_target_as_it_was_written) {
  EXPECT_EQ(forwarded("GET //x/..%2f%0d%0a\\y?%0d%0A HTTP/1.1\r\nHost: a\r\n\r\n"),
            "GET //x/..%2f%0d%0a\\y?%0d%0A HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST(forwarded_request, has_one_framing_written_anew) {
  constexpr std::string_view request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 007\r\n\r\n";
  constexpr std::string_view coded = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n";
  for (const std::string_view input : {request, coded}) {
    EXPECT_EQ(forwarded(input, {.framing = content_length{7}}),
              "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n");
    EXPECT_EQ(forwarded(input, {.framing = chunked{}}),
              "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    EXPECT_EQ(forwarded(input), "POST / HTTP/1.1\r\nHost: a\r\n\r\n");
  }
}

TEST(forwarded_request, loses_what_ends_at_this_hop) {
  EXPECT_EQ(
      forwarded("POST / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Mine, upgrade\r\nX-MINE: 1\r\nKeep-Alive: 2\r\n"
                "Proxy-Connection: keep-alive\r\nTE: trailers\r\nTrailer: X\r\nUpgrade: h2c\r\n"
                "HTTP2-Settings: AAMA\r\nExpect: 100-continue\r\nX-Other: 3\r\n\r\n"),
      "POST / HTTP/1.1\r\nHost: a\r\nX-Other: 3\r\n\r\n");
}

TEST(forwarded_request, does_not_lose_a_field_to_the_option_close) {
  EXPECT_EQ(forwarded("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: y\r\n\r\n"),
            "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n");
}

TEST(forwarded_request, loses_and_gains_what_the_caller_says) {
  const field_name_set drop = {"idempotency-key", "X-Y"};
  const std::array extra = {make_field("Idempotency-Key", "\"k\""), make_field("Idempotency-Attempt", "1")};
  EXPECT_EQ(forwarded("POST / HTTP/1.1\r\nHost: a\r\nIdempotency-Key: k\r\nx-y: z\r\nX-YZ: 1\r\n\r\n",
                      {.framing = content_length{0}, .extra = extra, .drop = &drop}),
            "POST / HTTP/1.1\r\nHost: a\r\nX-YZ: 1\r\nIdempotency-Key: \"k\"\r\nIdempotency-Attempt: 1\r\n"
            "Content-Length: 0\r\n\r\n");
}

TEST(forwarded_request, passes_an_upgrade_on_where_it_is_told_to) {
  EXPECT_EQ(forwarded("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
                      "Sec-WebSocket-Key: x\r\n\r\n",
                      {.upgrade = true}),
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nConnection: upgrade\r\n\r\n");
}

TEST(forwarded_request, says_what_becomes_of_the_connection) {
  constexpr std::string_view request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n";
  EXPECT_EQ(forwarded(request, {.connection = connection_option::close}),
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(forwarded(request, {.connection = connection_option::keep_alive}),
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
}

TEST(forwarded_request, means_the_same_at_the_next_hop) {
  constexpr std::string_view requests[] = {
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET http://b?x HTTP/1.1\r\nHost: a\r\nX:\r\nY: \t\xff z \r\nx: 2\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 00012\r\nConnection: x, y\r\nX: 1\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\nExpect: 100-continue\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nhost: [::1]:80\r\n\r\n",
      "FOO / HTTP/1.0\r\n\r\n",
      "FOO / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
  };
  for (const std::string_view request : requests) {
    request_head_reader reader;
    const auto outcome = reader.feed(request);
    ASSERT_TRUE(std::holds_alternative<request_head_view>(outcome)) << request;
    round_trip::check(std::get<request_head_view>(outcome));
  }
}

TEST(forwarded_response, has_one_framing_written_anew) {
  constexpr std::string_view response =
      "HTTP/1.0 201 Made it\r\nContent-Length: 05\r\nX: y\r\nConnection: X-Z\r\nX-z: 1\r\nDate: d\r\n\r\n";
  EXPECT_EQ(forwarded_response(response, {.framing = content_length{5}}),
            "HTTP/1.1 201 Made it\r\nX: y\r\nDate: d\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(forwarded_response(response, {.framing = chunked{}}),
            "HTTP/1.1 201 Made it\r\nX: y\r\nDate: d\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(forwarded_response(response, {.framing = until_close{}, .connection = connection_option::close}),
            "HTTP/1.1 201 Made it\r\nX: y\r\nDate: d\r\nConnection: close\r\n\r\n");
}

TEST(forwarded_response, tells_the_length_of_a_body_that_is_not_there_only_after_head_and_for_304) {
  EXPECT_EQ(forwarded_response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", {}, method_id::head),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(forwarded_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", {}, method_id::head),
            "HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(forwarded_response("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", {}),
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(forwarded_response("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", {}),
            "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST(forwarded_response, loses_and_gains_what_the_caller_says) {
  const field_name_set drop = {"Idempotency-Outcome"};
  const std::array extra = {make_field("Idempotent-Replayed", "true")};
  EXPECT_EQ(forwarded_response("HTTP/1.1 200 \r\nidempotency-outcome: completed\r\nTrailer: x\r\n\r\n",
                               {.framing = chunked{}, .extra = extra, .drop = &drop}),
            "HTTP/1.1 200 \r\nIdempotent-Replayed: true\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST(forwarded_response, passes_an_upgrade_on_where_it_is_told_to) {
  EXPECT_EQ(forwarded_response("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
                               {.upgrade = true}),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
}

TEST(forwarded_response, means_the_same_at_the_next_hop) {
  constexpr std::string_view responses[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX : y\r\n\r\n",
      "HTTP/1.1 200  a \xff \r\nTransfer-Encoding: chunked\r\nConnection: x\r\nx: 1\r\n\r\n",
      "HTTP/1.0 404 \r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\n",
      "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
  };
  for (const std::string_view response : responses) {
    for (const method_id method : {method_id::post, method_id::head}) {
      response_head_reader reader;
      reader.start(method);
      const auto outcome = reader.feed(response);
      ASSERT_TRUE(std::holds_alternative<response_head_view>(outcome)) << response;
      round_trip::check(std::get<response_head_view>(outcome), method);
    }
  }
}

TEST(building_blocks, make_a_message) {
  base::byte_buffer out;
  append_request_line(out, "GET", "/status?id=1");
  append_field(out, "Host", "a");
  append_field(out, "X", "");
  append_field(out, "Cache-Control: no-store");
  append_framing(out, no_body{});
  append_end_of_head(out);
  append_status_line(out, 409, reason_of(409));
  append_framing(out, chunked{});
  append_end_of_head(out);
  append_chunk(out, std::string(26, 'x'));
  append_last_chunk(out);
  append_framing(out, content_length{UINT64_MAX});
  append_framing(out, until_close{});
  EXPECT_EQ(out.readable(),
            "GET /status?id=1 HTTP/1.1\r\nHost: a\r\nX: \r\nCache-Control: no-store\r\n\r\n"
            "HTTP/1.1 409 Conflict\r\nTransfer-Encoding: chunked\r\n\r\n"
            "1a\r\nxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n0\r\n\r\n"
            "Content-Length: 18446744073709551615\r\n");
}

TEST(building_blocks_death, do_not_let_a_line_end_in) {
  base::byte_buffer out;
  EXPECT_DEATH(append_field(out, "X", "y\r\nZ: 1"), "assertion failed");
  EXPECT_DEATH(append_field(out, "X: y\r\nZ", "1"), "assertion failed");
  EXPECT_DEATH(append_field(out, "", "1"), "assertion failed");
  EXPECT_DEATH(append_field(out, "X", " y"), "assertion failed");
  EXPECT_DEATH(append_status_line(out, 200, "O\nK"), "assertion failed");
  EXPECT_DEATH(append_status_line(out, 1000, "OK"), "assertion failed");
  EXPECT_DEATH(append_request_line(out, "GET", "/ HTTP/1.1\r\nX: y"), "assertion failed");
  EXPECT_DEATH(append_request_line(out, "G ET", "/"), "assertion failed");
  EXPECT_DEATH(append_chunk(out, ""), "assertion failed");
}

TEST(forwarded_request_death, does_not_take_framing_from_the_caller_as_fields) {
  constexpr std::string_view request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const std::string_view name : {"Content-Length", "Transfer-Encoding", "Connection", "Host"}) {
    const std::array extra = {make_field(name, "5")};
    EXPECT_DEATH(forwarded(request, {.extra = extra}), "assertion failed") << name;
  }
  const std::array injecting = {make_field("X", "y\r\nZ: 1")};
  EXPECT_DEATH(forwarded(request, {.extra = injecting}), "assertion failed");
  EXPECT_DEATH(forwarded(request, {.host = "a\r\nX: y"}), "assertion failed");
  EXPECT_DEATH(forwarded(request, {.framing = until_close{}}), "assertion failed");
  EXPECT_DEATH(forwarded("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"), "assertion failed");
}

}  // namespace

}  // namespace onceward::http
