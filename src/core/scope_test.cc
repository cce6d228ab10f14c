#include "core/scope.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/hex.h"

namespace onceward::core {
namespace {

using head = std::vector<std::pair<std::string, std::string>>;

const deployment_secret secret("a secret of this test");

scope scope_of(const scope_policy& rules, const head& lines) {
  std::vector<http::field_view> fields;
  for (const auto& [name, value] : lines)
    fields.push_back(http::make_field(name, value));
  return scope_reader(rules).read(secret, fields);
}

TEST(scope, of_two_heads_is_one_if_and_only_if_their_credentials_are) {
  const std::vector<head> different = {
      {},
      {{"Authorization", ""}},
      {{"Authorization", "Bearer a"}},
      {{"Authorization", "Bearer b"}},
      {{"Authorization", "bearer a"}},
      {{"X-Api-Key", "Bearer a"}},
      {{"Api-Key", "Bearer a"}},
      {{"Authorization", "Bearer a"}, {"X-Api-Key", "k"}},
      {{"Authorization", "Bearer a"}, {"Api-Key", "k"}},
      {{"Authorization", "Bearer a"}, {"Authorization", "Bearer a"}},
      {{"Authorization", "Bearer a"}, {"Authorization", "Bearer b"}},
      {{"Authorization", "Bearer b"}, {"Authorization", "Bearer a"}},
      {{"Cookie", "Bearer a"}},
      {{"Cookie", "session=1"}},
      {{"Cookie", "session=2"}},
      {{"Cookie", "session=1; theme=dark"}},
  };
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < different.size(); ++i) {
    const scope whose = scope_of({}, different[i]);
    EXPECT_EQ(whose.anonymous, i == 0);
    const auto [place, is_new] = seen.emplace(base::to_hex(whose.digest), i);
    EXPECT_TRUE(is_new) << i << " and " << place->second;
    EXPECT_EQ(scope_of({}, different[i]), whose);
  }
}

TEST(scope, does_not_depend_on_fields_that_are_no_credentials) {
  const head alone = {{"Authorization", "Bearer a"}};
  const head with_others = {
      {"Host", "example.com"}, {"AUTHORIZATION", "Bearer a"}, {"Cookie", "session=1"}, {"X-Other", "k"}};
  EXPECT_EQ(scope_of({}, alone), scope_of({}, with_others)) << "a cookie does not count beside a credential";
  EXPECT_TRUE(scope_of({}, {{"Host", "example.com"}, {"X-Other", "k"}}).anonymous);
}

TEST(scope, does_not_depend_on_the_order_of_different_credentials_or_of_their_configuration) {
  scope_policy turned;
  turned.credential_headers = {"api-key", "X-API-KEY", "x-api-key", "authorization"};
  const head lines = {{"Authorization", "Bearer a"}, {"X-Api-Key", "k"}};
  const head turned_lines = {{"X-Api-Key", "k"}, {"Authorization", "Bearer a"}};
  EXPECT_EQ(scope_of({}, lines), scope_of({}, turned_lines));
  EXPECT_EQ(scope_of({}, lines), scope_of(turned, lines));
}

TEST(scope, stays_the_same_when_a_credential_field_is_added_that_a_request_does_not_have) {
  scope_policy more;
  more.credential_headers.emplace_back("X-Tenant");
  const head lines = {{"Authorization", "Bearer a"}};
  EXPECT_EQ(scope_of({}, lines), scope_of(more, lines));
  EXPECT_NE(scope_of({}, {{"Authorization", "Bearer a"}, {"X-Tenant", "t"}}),
            scope_of(more, {{"Authorization", "Bearer a"}, {"X-Tenant", "t"}}));
}

TEST(scope, can_be_one_named_cookie) {
  scope_policy rules;
  rules.cookie = "session";
  const scope one = scope_of(rules, {{"Cookie", "theme=dark; session=1; x"}});
  EXPECT_FALSE(one.anonymous);
  EXPECT_EQ(one, scope_of(rules, {{"Cookie", "session=1"}}));
  EXPECT_EQ(one, scope_of(rules, {{"Cookie", "theme=light"}, {"Cookie", "session=1;"}}));
  EXPECT_NE(one, scope_of(rules, {{"Cookie", "session=2"}}));
  EXPECT_NE(one, scope_of(rules, {{"Cookie", "session=1; session=2"}}));
  EXPECT_NE(one, scope_of(rules, {{"Cookie", "Session=1"}, {"Cookie", "session=3"}}));
  EXPECT_TRUE(scope_of(rules, {{"Cookie", "theme=dark"}}).anonymous);
  EXPECT_TRUE(scope_of(rules, {{"Cookie", "xsession=1; session"}}).anonymous);
  EXPECT_FALSE(scope_of(rules, {{"Cookie", "session="}}).anonymous);
}

TEST(scope, can_be_a_field_that_a_trusted_proxy_sets) {
  scope_policy rules;
  rules.kind = scope_kind::header;
  rules.header = "X-User";
  EXPECT_EQ(scope_of(rules, {{"x-user", "ada"}, {"Authorization", "a"}}), scope_of(rules, {{"X-User", "ada"}}));
  EXPECT_NE(scope_of(rules, {{"X-User", "ada"}}), scope_of(rules, {{"X-User", "bob"}}));
  EXPECT_TRUE(scope_of(rules, {{"Authorization", "a"}}).anonymous);

  scope_policy as_credential;
  as_credential.credential_headers = {"X-User"};
  EXPECT_NE(scope_of(rules, {{"X-User", "ada"}}), scope_of(as_credential, {{"X-User", "ada"}}));
}

TEST(scope, can_be_shared_by_all) {
  scope_policy rules;
  rules.kind = scope_kind::shared;
  EXPECT_EQ(scope_of(rules, {{"Authorization", "a"}}), scope_of(rules, {}));
  EXPECT_FALSE(scope_of(rules, {}).anonymous);
  EXPECT_NE(scope_of(rules, {}).digest, scope_of({}, {}).digest) << "one tenant is not the anonymous one";
}

TEST(scope, depends_on_the_secret) {
  const http::field_view field = http::make_field("Authorization", "Bearer a");
  const scope_reader reader{scope_policy{}};
  EXPECT_NE(reader.read(secret, {&field, 1}), reader.read(deployment_secret("another"), {&field, 1}));
}

// Stored as part of record keys: a change makes every record a stranger to its caller. The
// digests were computed by another program, from the page docs/record-format.md.
TEST(scope, never_changes) {
  EXPECT_EQ(base::to_hex(scope_of({}, {{"Authorization", "Bearer a"}}).digest),
            "9b7e80f219d80de561e878b62a6d79ee18818a01159846456d81437d91450340");
  EXPECT_EQ(base::to_hex(scope_of({}, {{"Cookie", "session=1"}}).digest),
            "e703cd8e45fc0cf42d11a85009f687dde2fa8c82110c667206b5f34a05dd238d");
  EXPECT_EQ(base::to_hex(scope_of({}, {}).digest), "1de123bc44c657b29d6dcadeaef1ecebc04fe0c7feffe6e6e293144e9d54982e");
}

}  // namespace
}  // namespace onceward::core
