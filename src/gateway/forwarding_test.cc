#include "gateway/forwarding.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

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

}  // namespace
}  // namespace onceward::gateway
