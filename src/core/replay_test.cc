#include "core/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/limits.h"

namespace onceward::core {
namespace {

using testing::HasSubstr;
using testing::Not;

// A response head as a parser would hand it over.
class given_response {
 public:
  given_response(int status, std::vector<http::field_view> fields) : fields_(std::move(fields)) {
    for (http::field_view& field : fields_)
      field.id = http::identify(field.name);
    head_.status = status;
    head_.fields = fields_;
    for (const http::field_view& field : fields_) {
      if (field.id == http::field_id::connection) head_.connection_names_fields = true;
    }
  }
  const http::response_head_view& head() const { return head_; }

 private:
  std::vector<http::field_view> fields_;
  http::response_head_view head_;
};

std::string replay_of(const given_response& given, std::string_view body, const replay_policy& policy = {},
                      stored_response_sending how = {.date = "now"}) {
  const replay_rules rules(policy);
  const shared_bytes stored = rules.keep(given.head(), body);
  const auto read = read_response(*stored);
  EXPECT_TRUE(read);
  base::byte_buffer out;
  append_replay(out, *read, rules, how);
  return std::string(out.readable());
}

std::string shared_answer_of(const given_response& given, std::string_view body, const replay_policy& policy = {}) {
  const replay_rules rules(policy);
  const shared_bytes stored = rules.keep(given.head(), body);
  base::byte_buffer out;
  append_shared_answer(out, *read_response(*stored), {.date = "now"});
  return std::string(out.readable());
}

TEST(replay, is_the_first_answer_with_a_marker) {
  const given_response given(201, {{"Content-Type", "application/json"},
                                   {"Location", "/v1/charges/7"},
                                   {"Date", "Sun, 06 Nov 1994 08:49:37 GMT"},
                                   {"Content-Length", "8"},
                                   {"ETag", "\"a\""},
                                   {"x-request-id", "r-1"}});
  EXPECT_EQ(replay_of(given, "{\"id\":7}"),
            "HTTP/1.1 201 Created\r\n"
            "Content-Type: application/json\r\n"
            "Location: /v1/charges/7\r\n"
            "ETag: \"a\"\r\n"
            "Original-Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Original-x-request-id: r-1\r\n"
            "Idempotent-Replayed: true\r\n"
            "Cache-Control: no-store\r\n"
            "Date: now\r\n"
            "Content-Length: 8\r\n"
            "\r\n"
            "{\"id\":7}");
}

struct fate_row {
  std::string_view name;
  field_fate fate;
};

class field_of_a_response : public testing::TestWithParam<fate_row> {};

TEST_P(field_of_a_response, is_kept_renamed_or_dropped) {
  const given_response given(200, {{"Connection", "X-Hop, close"}, {GetParam().name, "value"}});
  EXPECT_EQ(replay_rules(replay_policy{}).fate_of(given.head().fields[1], given.head()), GetParam().fate);
}

INSTANTIATE_TEST_SUITE_P(
    table, field_of_a_response,
    testing::Values(fate_row{"Content-Type", field_fate::kept}, fate_row{"Location", field_fate::kept},
                    fate_row{"Cache-Control", field_fate::kept}, fate_row{"Content-Encoding", field_fate::kept},
                    fate_row{"X-Other", field_fate::kept}, fate_row{"Via", field_fate::kept},
                    fate_row{"Retry-After", field_fate::kept}, fate_row{"Date", field_fate::renamed},
                    fate_row{"X-Request-Id", field_fate::renamed}, fate_row{"request-id", field_fate::renamed},
                    fate_row{"X-Correlation-ID", field_fate::renamed}, fate_row{"Set-Cookie", field_fate::dropped},
                    fate_row{"Age", field_fate::dropped}, fate_row{"Content-Length", field_fate::dropped},
                    fate_row{"Transfer-Encoding", field_fate::dropped}, fate_row{"Connection", field_fate::dropped},
                    fate_row{"Keep-Alive", field_fate::dropped}, fate_row{"Upgrade", field_fate::dropped},
                    fate_row{"Trailer", field_fate::dropped}, fate_row{"TE", field_fate::dropped},
                    fate_row{"Proxy-Connection", field_fate::dropped}, fate_row{"X-Hop", field_fate::dropped},
                    fate_row{"Idempotency-Outcome", field_fate::dropped},
                    fate_row{"Idempotent-Replayed", field_fate::dropped}));

TEST(replay, follows_the_routes_lists) {
  const given_response given(200, {{"Set-Cookie", "s=1"}, {"X-Trace", "t"}, {"Date", "then"}, {"X-Request-Id", "r"}});
  const replay_policy policy{.marker = "X-Replay", .dropped = {"x-request-id"}, .renamed = {"X-Trace", "X-Request-Id"}};
  const std::string message = replay_of(given, "", policy);
  EXPECT_THAT(message, HasSubstr("Set-Cookie: s=1\r\n"));
  EXPECT_THAT(message, HasSubstr("Original-X-Trace: t\r\n"));
  EXPECT_THAT(message, HasSubstr("X-Replay: true\r\n"));
  EXPECT_THAT(message, Not(HasSubstr("Idempotent-Replayed")));
  EXPECT_THAT(message, Not(HasSubstr("then"))) << "a replay has one Date, its own";
  EXPECT_THAT(message, Not(HasSubstr("Request-Id"))) << "what is dropped cannot be renamed";
}

TEST(replay, leaves_the_upstreams_word_on_caching) {
  EXPECT_THAT(replay_of(given_response(200, {{"Cache-Control", "private"}}), ""),
              testing::AllOf(HasSubstr("Cache-Control: private\r\n"), Not(HasSubstr("no-store"))));
}

TEST(replay, of_a_status_without_body_has_neither_length_nor_body) {
  for (const int status : {204, 304}) {
    const std::string message = replay_of(given_response(status, {{"ETag", "\"a\""}}), "");
    EXPECT_THAT(message, Not(HasSubstr("Content-Length"))) << status;
    EXPECT_THAT(message, testing::EndsWith("\r\n\r\n"));
  }
  EXPECT_THAT(replay_of(given_response(200, {}), ""), HasSubstr("Content-Length: 0\r\n"));
}

TEST(replay, carries_what_its_sender_adds) {
  const http::field_view extra = http::make_field("Idempotency-Key", "\"k\"");
  const given_response given(200, {});
  EXPECT_THAT(
      replay_of(given, "", {}, {.date = "now", .extra = {&extra, 1}, .connection = http::connection_option::close}),
      HasSubstr("Idempotency-Key: \"k\"\r\nConnection: close\r\n"));
  EXPECT_THAT(replay_of(given, "", {}, {.date = "now", .connection = http::connection_option::keep_alive}),
              HasSubstr("Connection: keep-alive\r\n"));
}

TEST(replay, repeats_fields_of_several_lines_in_their_order) {
  const given_response given(200, {{"Link", "</a>"}, {"Vary", "Accept"}, {"Link", "</b>"}});
  EXPECT_THAT(replay_of(given, ""), HasSubstr("Link: </a>\r\nVary: Accept\r\nLink: </b>\r\n"));
}

TEST(shared_answer, is_the_answer_itself) {
  const given_response given(503,
                             {{"Retry-After", "1"}, {"Date", "then"}, {"X-Request-Id", "r"}, {"Content-Length", "4"}});
  EXPECT_EQ(shared_answer_of(given, "busy"),
            "HTTP/1.1 503 Service Unavailable\r\n"
            "Retry-After: 1\r\n"
            "Date: then\r\n"
            "X-Request-Id: r\r\n"
            "Content-Length: 4\r\n"
            "\r\n"
            "busy");
}

TEST(shared_answer, gets_a_date_where_the_upstream_gave_none) {
  EXPECT_THAT(shared_answer_of(given_response(503, {}), ""), HasSubstr("Date: now\r\n"));
}

TEST(tombstone_of_a_response, has_its_status_and_location) {
  const given_response created(201, {{"Location", "/v1/charges/7"}});
  const shared_bytes tombstone = keep_tombstone(created.head());
  EXPECT_EQ(read_tombstone(*tombstone)->status, 201);
  EXPECT_EQ(read_tombstone(*tombstone)->location, "/v1/charges/7");
  EXPECT_EQ(read_tombstone(*keep_tombstone(given_response(200, {}).head()))->location, "");
}

TEST(tombstone_of_a_response, leaves_out_a_location_that_is_no_single_short_one) {
  const std::string long_location(tombstone_location_bytes_max + 1, 'x');
  EXPECT_EQ(read_tombstone(*keep_tombstone(given_response(201, {{"Location", long_location}}).head()))->location, "");
  const given_response two(201, {{"Location", "/a"}, {"Location", "/b"}});
  EXPECT_EQ(read_tombstone(*keep_tombstone(two.head()))->location, "");
}

}  // namespace
}  // namespace onceward::core
