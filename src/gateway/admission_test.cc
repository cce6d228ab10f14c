#include "gateway/admission.h"

#include <gtest/gtest.h>

#include "http/fields.h"

namespace onceward::gateway {
namespace {

TEST(trusted_peers, are_addresses_and_networks) {
  const trusted_peers peers({"192.0.2.7", "10.0.0.0/8", "2001:db8::/32", "::1"});
  for (const std::string_view inside : {"192.0.2.7", "10.0.0.0", "10.255.255.255", "2001:db8:1::9", "::1"})
    EXPECT_TRUE(peers.contain(inside)) << inside;
  for (const std::string_view outside : {"192.0.2.8", "9.255.255.255", "11.0.0.0", "2001:db9::1", "::2", "", "nobody"})
    EXPECT_FALSE(peers.contain(outside)) << outside;
}

TEST(trusted_peers, know_an_ipv4_address_that_a_socket_shows_as_ipv6) {
  const trusted_peers peers({"10.0.0.0/8"});
  EXPECT_TRUE(peers.contain("::ffff:10.1.2.3"));
  EXPECT_FALSE(peers.contain("::ffff:11.1.2.3"));
}

TEST(trusted_peers, of_nothing_are_nobody) {
  const trusted_peers peers({});
  EXPECT_FALSE(peers.contain("127.0.0.1"));
}

struct admission_test : testing::Test {
  admission admit_from(std::string_view peer_ip, std::initializer_list<http::field_view> fields) {
    core::policy chosen = *core::profile("default");
    chosen.scope = scope;
    const auto rules = core::prepare(chosen);
    const http::fields_view all(fields.begin(), fields.size());
    http::request_head_view head{};
    head.fields = all;
    return admit(*rules, core::deployment_secret("a secret for tests"), digests, trusted_peers({"10.0.0.0/8"}), head,
                 {}, peer_ip);
  }
  static bool is_refused(const admission& what) {
    const auto* refused = std::get_if<core::problem>(&what);
    return refused != nullptr && refused->type == core::problem_type::credential_missing && refused->status == 400;
  }
  core::scope_policy scope;
  core::digest_memo digests;
  const http::field_view key = http::make_field("Idempotency-Key", "k");
  const http::field_view tenant = http::make_field("X-Tenant", "alice");
};

TEST_F(admission_test, lets_a_request_without_a_key_pass) {
  EXPECT_TRUE(std::holds_alternative<core::no_key>(admit_from("192.0.2.1", {tenant})));
}

TEST_F(admission_test, believes_only_trusted_peers_whose_request_it_is) {
  scope.kind = core::scope_kind::header;
  scope.header = "X-Tenant";
  EXPECT_TRUE(std::holds_alternative<admitted>(admit_from("10.1.2.3", {key, tenant})));
  EXPECT_TRUE(is_refused(admit_from("192.0.2.1", {key, tenant})));
  EXPECT_TRUE(is_refused(admit_from("192.0.2.1", {key})));
}

TEST_F(admission_test, asks_for_a_credential_where_the_route_does) {
  EXPECT_TRUE(std::holds_alternative<admitted>(admit_from("192.0.2.1", {key})));
  scope.credential_required = true;
  EXPECT_TRUE(is_refused(admit_from("192.0.2.1", {key})));
  EXPECT_TRUE(std::holds_alternative<admitted>(
      admit_from("192.0.2.1", {key, http::make_field("Authorization", "Bearer one")})));
}

}  // namespace
}  // namespace onceward::gateway
