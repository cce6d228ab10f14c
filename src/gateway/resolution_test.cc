#include "gateway/resolution.h"

#include <gtest/gtest.h>

#include <string>

#include "core/record_codec.h"

namespace onceward::gateway {
namespace {

tl::expected<resolution, std::string> read(std::string_view text) {
  return read_resolution(text, core::replay_rules(core::replay_policy{}));
}

TEST(resolution, releases_a_key) {
  const auto read_back = read(R"({"outcome":"release"})");
  ASSERT_TRUE(read_back);
  EXPECT_TRUE(std::holds_alternative<resolved_released>(*read_back));
}

TEST(resolution, completes_with_a_response_that_is_kept_as_if_the_upstream_had_sent_it) {
  const auto read_back = read(R"({"outcome": "complete", "response": {
      "status": 201,
      "headers": {"Content-Type": "application/json", "Location": "/c/1", "Set-Cookie": "a=b"},
      "body": "{}"}})");
  ASSERT_TRUE(read_back) << read_back.error();
  const auto& completed = std::get<resolved_completed>(*read_back);
  const auto response = core::read_response(*completed.response);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->body, "{}");
  EXPECT_NE(response->fields.find("application/json"), std::string_view::npos);
  EXPECT_EQ(response->fields.find("a=b"), std::string_view::npos) << "cookies are not replayed";
  const auto left = core::read_tombstone(*completed.tombstone);
  ASSERT_TRUE(left);
  EXPECT_EQ(left->location, "/c/1");
}

TEST(resolution, needs_only_a_status) {
  const auto read_back = read(R"({"outcome":"complete","response":{"status":204}})");
  ASSERT_TRUE(read_back) << read_back.error();
}

TEST(resolution, says_what_is_wrong_with_a_document) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "JSON object"},
      {"[]", "JSON object"},
      {"{", "JSON object"},
      {"{}", "outcome must be"},
      {R"({"outcome":7})", "outcome must be"},
      {R"({"outcome":"undo"})", "outcome must be"},
      {R"({"outcome":"complete"})", "response must be an object"},
      {R"({"outcome":"complete","response":{}})", "response.status"},
      {R"({"outcome":"complete","response":{"status":99}})", "response.status"},
      {R"({"outcome":"complete","response":{"status":600}})", "response.status"},
      {R"({"outcome":"complete","response":{"status":"200"}})", "response.status"},
      {R"({"outcome":"complete","response":{"status":200,"header":{}}})", "response.header is not known"},
      {R"({"outcome":"complete","response":{"status":200,"headers":[]}})", "response.headers"},
      {R"({"outcome":"complete","response":{"status":200,"headers":{"a":1}}})", "response.headers.a"},
      {R"({"outcome":"complete","response":{"status":200,"headers":{"a":"b\r\nc: d"}}})", "line end"},
      {R"({"outcome":"complete","response":{"status":200,"headers":{"a b":"c"}}})", ""},
      {R"({"outcome":"complete","response":{"status":200,"headers":{"Content-Length":"7"}}})", ""},
      {R"({"outcome":"complete","response":{"status":200,"headers":{"Transfer-Encoding":"chunked"}}})", ""},
      {R"({"outcome":"complete","response":{"status":200,"body":7}})", "response.body"},
      {R"({"outcome":"complete","response":{"status":204,"body":"x"}})", ""},
  };
  for (const auto& [text, expected] : cases) {
    const auto read_back = read(text);
    ASSERT_FALSE(read_back) << text;
    EXPECT_NE(read_back.error().find(expected), std::string::npos) << text << ": " << read_back.error();
  }
}

}  // namespace
}  // namespace onceward::gateway
