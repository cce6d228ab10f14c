#include "core/fingerprint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/hex.h"

namespace onceward::core {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const deployment_secret secret("a secret of this test");

struct request {
  std::string method = "POST";
  std::string target = "/v1/charges";
  std::vector<std::pair<std::string, std::string>> fields = {{"Content-Type", "application/json"}};
  std::string body = R"({"amount":7})";
};

fingerprint_recipe recipe_of(const fingerprint_policy& rules) {
  return *fingerprint_recipe::make(rules);
}

std::vector<http::field_view> views_of(request&&) = delete;
std::vector<http::field_view> views_of(const request& given) {
  std::vector<http::field_view> fields;
  for (const auto& [name, value] : given.fields)
    fields.push_back(http::make_field(name, value));
  return fields;
}

std::string print_of(const request& given, const fingerprint_policy& rules = {}) {
  return *make_fingerprint(secret, recipe_of(rules), given.method, given.target, views_of(given), given.body);
}

std::vector<std::string> differences(const request& stored, const request& presented,
                                     const fingerprint_policy& rules = {}) {
  return differing_parts(print_of(stored, rules), print_of(presented, rules));
}

request with_body(std::string body) {
  request given;
  given.body = std::move(body);
  return given;
}

fingerprint_policy json_rules() {
  fingerprint_policy rules;
  rules.body = body_recipe::json;
  return rules;
}

TEST(fingerprint, is_the_same_for_the_same_request_only) {
  const request first;
  EXPECT_TRUE(same_request(print_of(first), print_of(first)));

  std::vector<std::pair<request, std::string>> others(6);
  others[0].first.method = "PATCH";
  others[0].second = "method";
  others[1].first.target = "/v1/charges?";
  others[1].second = "target";
  others[2].first.fields[0].second = "text/plain";
  others[2].second = "header content-type";
  others[3].first.fields.clear();
  others[3].second = "header content-type";
  others[4].first.fields.emplace_back("content-type", "application/json");
  others[4].second = "header content-type";
  others[5].first.body += " ";
  others[5].second = "body";
  for (const auto& [other, label] : others) {
    EXPECT_FALSE(same_request(print_of(first), print_of(other))) << label;
    EXPECT_THAT(differences(first, other), ElementsAre(label));
    EXPECT_THAT(differences(other, first), ElementsAre(label));
  }
}

TEST(fingerprint, names_everything_that_differs) {
  request other;
  other.method = "PUT";
  other.target = "/";
  other.body = "";
  EXPECT_THAT(differences(request{}, other), ElementsAre("method", "target", "body"));
}

TEST(fingerprint, does_not_see_fields_that_are_not_selected) {
  request retry;
  retry.fields.emplace_back("User-Agent", "x");
  retry.fields.emplace_back("X-Stainless-Retry-Count", "1");
  EXPECT_TRUE(same_request(print_of(request{}), print_of(retry)));
}

TEST(fingerprint, tells_an_empty_field_from_none_and_lines_from_each_other) {
  fingerprint_policy rules;
  rules.headers = {"X-A", "X-B"};
  const std::vector<std::vector<std::pair<std::string, std::string>>> different = {
      {},
      {{"X-A", ""}},
      {{"X-B", ""}},
      {{"X-A", "ab"}},
      {{"X-A", "a"}, {"X-A", "b"}},
      {{"X-A", "b"}, {"X-A", "a"}},
      {{"X-A", "a"}, {"X-B", "b"}},
      {{"X-A", "a, b"}},
  };
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < different.size(); ++i) {
    request given;
    given.fields = different[i];
    EXPECT_TRUE(seen.emplace(print_of(given, rules), i).second) << i;
  }
}

TEST(fingerprint, depends_on_the_secret_and_shows_no_value) {
  const request given;
  const auto fields = views_of(given);
  const auto one = make_fingerprint(secret, recipe_of({}), "POST", "/v1/charges", fields, "a body to be found");
  const auto other = make_fingerprint(deployment_secret("another"), recipe_of({}), "POST", "/v1/charges", fields,
                                      "a body to be found");
  EXPECT_NE(*one, *other);
  EXPECT_THAT(*one, testing::Not(testing::HasSubstr("charges")));
  EXPECT_THAT(*one, testing::Not(testing::HasSubstr("body")));
}

TEST(fingerprint, does_not_see_where_the_body_was_cut) {
  for (const body_recipe kind : {body_recipe::none, body_recipe::raw, body_recipe::json, body_recipe::form}) {
    fingerprint_policy rules;
    rules.body = kind;
    const request given = with_body(R"({"amount":7,"currency":"eur","note":"a=b"})");
    const fingerprint_recipe recipe = recipe_of(rules);
    for (std::size_t cut = 0; cut <= given.body.size(); ++cut) {
      fingerprint_builder builder(secret, recipe);
      builder.head(given.method, given.target, views_of(given));
      builder.body(std::string_view(given.body).substr(0, cut));
      builder.body(std::string_view(given.body).substr(cut));
      ASSERT_EQ(*builder.finish(), print_of(given, rules)) << cut;
    }
  }
}

TEST(fingerprint, can_ignore_the_body) {
  fingerprint_policy rules;
  rules.body = body_recipe::none;
  EXPECT_TRUE(same_request(print_of(with_body("a"), rules), print_of(with_body("b"), rules)));
}

TEST(fingerprint, that_is_off_takes_every_request_for_the_same) {
  fingerprint_policy off;
  off.enabled = false;
  request other;
  other.method = "PUT";
  EXPECT_TRUE(same_request(print_of(request{}, off), print_of(other, off)));
  EXPECT_TRUE(same_request(print_of(request{}), print_of(other, off))) << "the route has stopped to compare";
  EXPECT_THAT(differing_parts(print_of(request{}), print_of(other, off)), IsEmpty());
  EXPECT_FALSE(same_request(print_of(request{}, off), print_of(request{}))) << "the route has begun to compare";
  EXPECT_THAT(differing_parts(print_of(request{}, off), print_of(request{})), ElementsAre("recipe"));
}

TEST(json_fingerprint, sees_what_a_body_says_and_names_the_member_that_differs) {
  const request first = with_body(R"({"amount":7,"currency":"eur","items":[1,2]})");
  EXPECT_TRUE(same_request(
      print_of(first, json_rules()),
      print_of(with_body(" {\"items\": [1, 2],\n\"\\u0061mount\":7, \"currency\":\"eur\"}"), json_rules())));
  EXPECT_THAT(differences(first, with_body(R"({"amount":7.0,"currency":"eur","items":[1,2]})"), json_rules()),
              ElementsAre("body /amount"));
  EXPECT_THAT(differences(first, with_body(R"({"amount":7,"currency":"usd","items":[1,2,3]})"), json_rules()),
              UnorderedElementsAre("body /currency", "body /items"));
  EXPECT_THAT(differences(first, with_body(R"({"amount":7,"currency":"eur"})"), json_rules()),
              ElementsAre("body /items"));
  EXPECT_THAT(differences(first, with_body(R"({"amount":7,"currency":"eur","items":[1,2],"x":1})"), json_rules()),
              ElementsAre("body /x"));
}

TEST(json_fingerprint, keeps_large_integers_apart) {
  EXPECT_THAT(differences(with_body(R"({"amount":9007199254740992})"), with_body(R"({"amount":9007199254740993})"),
                          json_rules()),
              ElementsAre("body /amount"));
}

TEST(json_fingerprint, falls_back_to_bytes) {
  for (const char* body : {"", "{", "amount=7", R"({"a":1,"a":1})"}) {
    EXPECT_TRUE(same_request(print_of(with_body(body), json_rules()), print_of(with_body(body), json_rules())));
    EXPECT_THAT(differences(with_body(body), with_body(std::string(body) + " "), json_rules()), ElementsAre("body"))
        << body;
  }
  EXPECT_THAT(differences(with_body("7"), with_body("8"), json_rules()), ElementsAre("body"));
  EXPECT_THAT(differences(with_body("[7]"), with_body("{"), json_rules()), ElementsAre("body"));
}

TEST(json_fingerprint, follows_its_pointers) {
  fingerprint_policy rules = json_rules();
  rules.exclude = {"/client_time"};
  EXPECT_TRUE(same_request(print_of(with_body(R"({"amount":7,"client_time":1})"), rules),
                           print_of(with_body(R"({"client_time":2,"amount":7})"), rules)));
  rules.include = {"/amount"};
  EXPECT_TRUE(
      same_request(print_of(with_body(R"({"amount":7,"x":1})"), rules), print_of(with_body(R"({"amount":7})"), rules)));
  EXPECT_THAT(differences(with_body(R"({"amount":7})"), with_body("{}"), rules), ElementsAre("body /amount"));
}

TEST(form_fingerprint, names_the_field_that_differs) {
  fingerprint_policy rules;
  rules.body = body_recipe::form;
  const auto form = [](std::string body) {
    request given = with_body(std::move(body));
    given.fields[0].second = "application/x-www-form-urlencoded";
    return given;
  };
  EXPECT_TRUE(same_request(print_of(form("a=1&b=x+y"), rules), print_of(form("%61=1&b=x%20y"), rules)));
  EXPECT_THAT(differences(form("a=1&b=2"), form("a=1&b=3"), rules), ElementsAre("body b"));
  EXPECT_THAT(differences(form("a=1&b=2"), form("b=2&a=1"), rules), ElementsAre("body")) << "order";
}

TEST(multipart_fingerprint, takes_a_new_boundary_for_the_same_request) {
  fingerprint_policy rules;
  rules.body = body_recipe::multipart;
  const auto upload = [](const std::string& boundary, const std::string& content) {
    request given = with_body("--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n" + content +
                              "\r\n--" + boundary + "--\r\n");
    given.fields[0].second = "multipart/form-data; boundary=" + boundary;
    return given;
  };
  EXPECT_TRUE(same_request(print_of(upload("x", "a"), rules), print_of(upload("y", "a"), rules)));
  EXPECT_THAT(differences(upload("x", "a"), upload("y", "b"), rules), ElementsAre("body file"));
}

TEST(fingerprint, of_a_changed_recipe_is_another_and_says_so) {
  fingerprint_policy more;
  more.headers.emplace_back("X-Tenant");
  EXPECT_THAT(differing_parts(print_of({}), print_of({}, more)), ElementsAre("recipe"));
  EXPECT_THAT(differing_parts(print_of({}), print_of({}, json_rules())), ElementsAre("recipe"));
  request other;
  other.method = "PUT";
  other.body = "{}";
  EXPECT_THAT(differing_parts(print_of({}), print_of(other, more)), ElementsAre("recipe", "method", "body"));
  EXPECT_THAT(differing_parts(print_of({}), print_of(other, json_rules())), ElementsAre("recipe", "method"));
}

TEST(fingerprint_recipe, does_not_depend_on_the_order_of_its_lists) {
  fingerprint_policy one = json_rules();
  one.headers = {"A", "B", "a"};
  one.include = {"/x", "/y"};
  fingerprint_policy other = json_rules();
  other.headers = {"b", "a"};
  other.include = {"/y", "/x", "/y"};
  request given = with_body(R"({"x":1,"y":2})");
  given.fields = {{"B", "2"}, {"A", "1"}};
  EXPECT_EQ(print_of(given, one), print_of(given, other));
}

TEST(differing_parts, is_never_empty_for_prints_that_differ) {
  const std::string good = print_of(with_body(R"({"a":1})"), json_rules());
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string damaged = good;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(differing_parts(damaged, good).empty()) << i;
    EXPECT_FALSE(differing_parts(good.substr(0, i), good).empty()) << i;
  }
  EXPECT_THAT(differing_parts("", good), ElementsAre("recipe"));
}

// Stored: a change makes every retry of an older request a mismatch. All but the four bytes that name the recipe were
// computed by another program, from the page docs/record-format.md.
TEST(fingerprint, never_changes) {
  const auto hex = [](const std::string& bytes) { return base::to_hex(std::as_bytes(std::span(bytes))); };
  EXPECT_EQ(hex(print_of(request{})),
            "0101690faf0c01fd349c2897a901355aa1a4343eef4fc4023ef343d714da9cd385ce2c7a14df5b86030c636f6e74656e"
            "742d747970654ac599e42cbd817151124ee12a1782f004cbef6b684dfda9617f5bc8d563036838");
  EXPECT_EQ(hex(print_of(request{}, json_rules())),
            "0101c006db4f01fd349c2897a901355aa1a4343eef4fc4023ef343d714da9cd385ce2c7a14df5b86030c636f6e74656e"
            "742d747970654ac599e42cbd817151124ee12a1782f005ef56477ef6b77621bd175c83221629ce08072f616d6f756e74"
            "a355b8982a9f4f26a444fbeb7a15beb0");
}

}  // namespace
}  // namespace onceward::core
