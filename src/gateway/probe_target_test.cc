#include "gateway/probe_target.h"

#include <gtest/gtest.h>

namespace onceward::gateway {
namespace {

constexpr std::string_view body = R"({"order":{"id":"a/b"},"number":4711,"empty":"","up":"..","here":".","list":[1]})";

TEST(probe_target, puts_the_key_and_values_of_the_body_in_their_places) {
  EXPECT_EQ(expand_probe_target("/operations", "k", body), "/operations");
  EXPECT_EQ(expand_probe_target("/operations/{key}?full=1", "k-1", body), "/operations/k-1?full=1");
  EXPECT_EQ(expand_probe_target("/{/number}/{/order/id}", "k", body), "/4711/a%2Fb");
}

TEST(probe_target, escapes_whatever_could_mean_something_in_a_url) {
  EXPECT_EQ(expand_probe_target("/{key}", "a/b?c#d%e f", body), "/a%2Fb%3Fc%23d%25e%20f");
  EXPECT_EQ(expand_probe_target("/{key}", "A-z_0.9~", body), "/A-z_0.9~");
}

TEST(probe_target, is_nothing_where_the_body_does_not_have_the_value) {
  for (const std::string_view pointer : {"{/absent}", "{/empty}", "{/list}", "{/order}"})
    EXPECT_FALSE(expand_probe_target("/o/" + std::string(pointer), "k", body)) << pointer;
  EXPECT_FALSE(expand_probe_target("/o/{/number}", "k", "no JSON"));
  EXPECT_FALSE(expand_probe_target("/o/{key", "k", body));
}

// Servers resolve such segments, and the answer would be that of another resource.
TEST(probe_target, never_leads_out_of_its_place) {
  EXPECT_FALSE(expand_probe_target("/o/{key}", "..", body));
  EXPECT_FALSE(expand_probe_target("/o/{key}/state", ".", body));
  EXPECT_FALSE(expand_probe_target("/o/{/up}", "k", body));
  EXPECT_FALSE(expand_probe_target("/o/{/here}?a", "k", body));
  EXPECT_FALSE(expand_probe_target("/o/.{key}", ".", body));
  EXPECT_EQ(expand_probe_target("/o/{key}", "...", body), "/o/...");
  EXPECT_EQ(expand_probe_target("/o?key={key}", "..", body), "/o?key=..");
}

}  // namespace
}  // namespace onceward::gateway
