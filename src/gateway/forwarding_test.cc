#include "gateway/forwarding.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "http/head_reader.h"

namespace onceward::gateway {
namespace {

std::string host_for(std::string_view named, const upstream_address& upstream) {
  http::request_head_view head;
  head.authority = named;
  return std::string(forwarding_view(head, "192.0.2.1", {&upstream, 1}).with({}).host);
}

TEST(forwarding, leaves_the_host_that_the_client_names) {
  EXPECT_EQ(host_for("api.test", {"127.0.0.1", 9000}), "");
}

TEST(forwarding, names_the_upstream_as_its_url_does_where_the_client_names_none) {
  EXPECT_EQ(host_for("", {"127.0.0.1", 9000}), "127.0.0.1:9000");
  EXPECT_EQ(host_for("", {"api.test", 80}), "api.test");
  EXPECT_EQ(host_for("", {"::1", 9000}), "[::1]:9000");
  EXPECT_EQ(host_for("", {"::1", 80}), "[::1]");
}

TEST(forwarding, of_several_upstreams_names_the_first) {
  const std::vector<upstream_address> upstreams{{"a.test", 80}, {"b.test", 80}};
  EXPECT_EQ(host_if_none_is_named({}, upstreams), "a.test");
}

std::string forwarded(std::string_view request, bool replaces = false) {
  http::request_head_reader reader;
  const auto outcome = reader.feed(request);
  const auto& head = std::get<http::request_head_view>(outcome);
  const upstream_address upstream{"127.0.0.1", 9000};
  forwarding_view forwarding(head, "192.0.2.1", {&upstream, 1});
  forwarding.drop(http::field_id::idempotency_fence);
  for (const http::field_view& field : head.fields) {
    if (replaces && (field.id == http::field_id::idempotency_key || field.name == "x-key")) {
      forwarding.replace(field, "new");
    }
  }
  base::byte_buffer out;
  http::append_forwarded_request_head(out, head, forwarding.with(head.framing));
  return std::string(out.readable());
}

TEST(forwarding, says_where_a_request_comes_from) {
  EXPECT_EQ(forwarded("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n"),
            "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\n"
            "X-Forwarded-Host: a\r\nVia: 1.1 onceward\r\n\r\n");
}

TEST(forwarding, adds_to_what_others_have_said) {
  EXPECT_EQ(forwarded("GET / HTTP/1.0\r\nHost: a\r\nx-forwarded-for: b\r\nX-Forwarded-Proto: https\r\n"
                      "X-Forwarded-For: c, d\r\nX-FORWARDED-HOST: e\r\nVia: 1.1 f\r\n\r\n"),
            "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\nX-FORWARDED-HOST: e\r\nVia: 1.1 f\r\n"
            "X-Forwarded-For: b, c, d, 192.0.2.1\r\nVia: 1.0 onceward\r\n\r\n");
}

TEST(forwarding, drops_and_replaces_what_the_caller_says) {
  EXPECT_EQ(forwarded("GET / HTTP/1.1\r\nHost: a\r\nidempotency-key: old\r\nx-key: old\r\nX-Keys: z\r\n"
                      "IDEMPOTENCY-FENCE: 7\r\n\r\n",
                      true),
            "GET / HTTP/1.1\r\nHost: a\r\nX-Keys: z\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\n"
            "X-Forwarded-Host: a\r\nVia: 1.1 onceward\r\nidempotency-key: new\r\nx-key: new\r\n\r\n");
}

}  // namespace
}  // namespace onceward::gateway
