#include "core/record_key.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "base/hex.h"

namespace onceward::core {
namespace {

const deployment_secret secret("a secret of this test");

scope scope_named(char name) {
  scope whose;
  whose.digest.fill(static_cast<std::byte>(name));
  return whose;
}

TEST(operation, is_method_and_path_or_the_route_or_nothing) {
  policy rules;
  rules.name = "payments";
  const operation_view by_path = operation_of(rules, "POST", "/v1/charges");
  EXPECT_EQ(by_path.kind, operation_kind::path);
  EXPECT_EQ(by_path.method, "POST");
  EXPECT_EQ(by_path.name, "/v1/charges");
  rules.operation = operation_kind::route;
  EXPECT_EQ(operation_of(rules, "POST", "/v1/charges").name, "payments");
  EXPECT_EQ(operation_of(rules, "POST", "/v1/charges").method, "");
  rules.operation = operation_kind::none;
  EXPECT_EQ(operation_of(rules, "POST", "/v1/charges").name, "");
}

TEST(record_key, differs_in_scope_operation_key_and_payload) {
  const operation_view charge{operation_kind::path, "POST", "/charges"};
  const record_key first = make_record_key(secret, scope_named('a'), charge, "k");
  EXPECT_EQ(make_record_key(secret, scope_named('a'), charge, "k"), first);
  EXPECT_NE(make_record_key(secret, scope_named('b'), charge, "k"), first);
  EXPECT_NE(make_record_key(secret, scope_named('a'), {operation_kind::path, "PATCH", "/charges"}, "k"), first);
  EXPECT_NE(make_record_key(secret, scope_named('a'), {operation_kind::path, "POST", "/refunds"}, "k"), first);
  EXPECT_NE(make_record_key(secret, scope_named('a'), charge, "K"), first);
  EXPECT_NE(make_record_key(secret, scope_named('a'), charge, "k", "print"), first);
  EXPECT_NE(make_record_key(deployment_secret("another"), scope_named('a'), charge, "k"), first);
}

// Whatever moves from one part to its neighbour, and whatever separator is tried, makes another key.
TEST(record_key, is_injective) {
  const std::vector<std::string> texts = {"",
                                          "a",
                                          "b",
                                          "ab",
                                          "ba",
                                          "aa",
                                          std::string("\0", 1),
                                          std::string("a\0", 2),
                                          "/a",
                                          "a b",
                                          "a/",
                                          "a:b",
                                          ":",
                                          std::string("\1\0\0\0a", 5)};
  using parts = std::tuple<operation_kind, std::string, std::string, std::string, std::string>;
  std::map<std::string, parts> seen;
  std::size_t made = 0;
  for (const auto kind : {operation_kind::path, operation_kind::route, operation_kind::none}) {
    for (const std::string& method : texts) {
      for (const std::string& name : texts) {
        for (const std::string& key : texts) {
          for (const std::string& print : {texts[0], texts[1], texts[13]}) {
            const record_key made_key = make_record_key(secret, scope_named('a'), {kind, method, name}, key, print);
            ASSERT_TRUE(seen.emplace(base::to_hex(made_key.bytes), parts(kind, method, name, key, print)).second);
            ++made;
          }
        }
      }
    }
  }
  EXPECT_EQ(seen.size(), made);
}

TEST(record_key, takes_parts_of_any_length) {
  std::vector<record_key> keys;
  for (std::size_t length = 0; length <= 600; ++length) {
    keys.push_back(
        make_record_key(secret, scope_named('a'), {operation_kind::path, "POST", std::string(length, 'x')}, "k"));
    keys.push_back(
        make_record_key(secret, scope_named('a'), {operation_kind::path, "POST", ""}, std::string(length + 1, 'x')));
  }
  std::ranges::sort(keys);
  EXPECT_EQ(std::ranges::adjacent_find(keys), keys.end());
}

// Stored: a change makes every record a stranger to its request. The
// digests were computed by another program, from the page docs/record-format.md.
TEST(record_key, never_changes) {
  const auto hex = [](operation_view operation, std::string_view print) {
    return base::to_hex(make_record_key(secret, scope_named('a'), operation, "key-1", print).bytes);
  };
  EXPECT_EQ(hex({operation_kind::path, "POST", "/v1/charges"}, ""),
            "7564bfed1c9c24eaeb06e8f655436d743cef4ceb962bceeaac40a6f56e2c98b2");
  EXPECT_EQ(hex({operation_kind::route, {}, "payments"}, ""),
            "451300df7e8ee0da8d9e0278c40b33fbead8f553ffc3f6e7843ee63066947f55");
  EXPECT_EQ(hex({operation_kind::none, {}, {}}, "print"),
            "56fd65eeafcfeef70500afd76c93f85bb8373f65f8fad0939c9427611e785f43");
}

}  // namespace
}  // namespace onceward::core
