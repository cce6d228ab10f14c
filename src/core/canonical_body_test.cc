#include "core/canonical_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/limits.h"

namespace onceward::core {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> names_of(const canonical_body& body) {
  std::vector<std::string> names;
  for (const canonical_body::member& member : body.members)
    names.push_back(member.name);
  return names;
}

std::vector<json_pointer> pointers(std::initializer_list<std::string_view> texts) {
  std::vector<json_pointer> parsed;
  for (const std::string_view text : texts)
    parsed.push_back(*json_pointer::parse(text));
  return parsed;
}

// ---- JSON ----------------------------------------------------------------------------------------------------------

std::optional<canonical_body> json_body(std::string_view body, std::initializer_list<std::string_view> include = {},
                                        std::initializer_list<std::string_view> exclude = {}) {
  return canonical_json_body(body, pointers(include), pointers(exclude));
}

TEST(json_body, names_its_top_level_members_by_their_pointers) {
  EXPECT_THAT(names_of(*json_body(R"({"b":1,"a/b":{"c":2},"m~n":3})")), ElementsAre("/a~1b", "/b", "/m~0n"));
  EXPECT_THAT(names_of(*json_body("[1,2]")), IsEmpty());
  EXPECT_THAT(names_of(*json_body("7")), IsEmpty());
}

TEST(json_body, is_not_read_where_its_meaning_is_in_doubt) {
  for (const char* body : {"", "{", "a=b", R"({"a":1,"a":1})", R"({"x":{"a":1,"a":2}})"})
    EXPECT_FALSE(json_body(body)) << body;
}

TEST(json_body, leaves_out_what_is_excluded) {
  const auto first =
      json_body(R"({"amount":1,"client_time":"10:00","meta":{"try":1,"id":7}})", {}, {"/client_time", "/meta/try"});
  const auto second = json_body(R"({"meta":{"id":7,"try":2},"amount":1})", {}, {"/client_time", "/meta/try"});
  EXPECT_EQ(first->text, second->text);
  EXPECT_EQ(first->text, R"({"amount":1,"meta":{"id":7}})");
  EXPECT_THAT(names_of(*first), ElementsAre("/amount", "/meta"));
  EXPECT_EQ(json_body("{\"a\":1}", {}, {""})->text, "");
}

TEST(json_body, is_only_what_is_included) {
  const auto include = {std::string_view("/amount"), std::string_view("/card/number")};
  const auto first = json_body(R"({"amount":1,"card":{"number":"4","cvc":"1"},"x":1})", include);
  EXPECT_EQ(first->text, json_body(R"({"card":{"cvc":"2","number":"4"},"amount":1})", include)->text);
  EXPECT_NE(first->text, json_body(R"({"amount":2,"card":{"number":"4"}})", include)->text);
  EXPECT_NE(first->text, json_body(R"({"amount":1})", include)->text);
  EXPECT_NE(first->text, json_body(R"({"amount":1,"card":{"number":null}})", include)->text);
  EXPECT_THAT(names_of(*first), ElementsAre("/amount", "/card/number"));
  EXPECT_THAT(names_of(*json_body("[]", include)), IsEmpty());
}

TEST(json_body, excludes_from_what_it_includes) {
  const auto first = json_body(R"({"card":{"number":"4","cvc":"1"}})", {"/card", "/card/cvc"}, {"/card/cvc"});
  EXPECT_THAT(names_of(*first), ElementsAre("/card"));
  EXPECT_EQ(first->text, json_body(R"({"card":{"number":"4"}})", {"/card", "/card/cvc"}, {"/card/cvc"})->text);
}

// ---- Forms ---------------------------------------------------------------------------------------------------------

constexpr std::string_view form_type = "application/x-www-form-urlencoded";

TEST(form_body, is_what_it_says_and_not_how_it_is_escaped) {
  const auto plain = canonical_form_body("amount=7&note=a+b%26c&tag=x", form_type);
  ASSERT_TRUE(plain);
  for (const char* same :
       {"amount=%37&note=a%20b%26c&tag=x", "amount=7&&note=a+b%26c&tag=x&", "%61mount=7&note=a+b%26c&t%61g=x"}) {
    EXPECT_EQ(canonical_form_body(same, form_type)->text, plain->text) << same;
  }
  for (const char* other :
       {"amount=7&note=a+b&c&tag=x", "amount=7&note=a%2Bb%26c&tag=x", "note=a+b%26c&amount=7&tag=x",
        "amount=7&note=a+b%26c", "amount=7&note=a+b%26c&tag=x&tag=x", "amount=&7note=a+b%26c&tag=x"}) {
    EXPECT_NE(canonical_form_body(other, form_type)->text, plain->text) << other;
  }
  EXPECT_EQ(canonical_form_body("a", form_type)->text, canonical_form_body("a=", form_type)->text);
  EXPECT_EQ(canonical_form_body("", form_type)->text, "");
}

TEST(form_body, names_each_field_once_with_all_its_values) {
  const auto body = canonical_form_body("b=1&a=2&b=3&=4", form_type);
  EXPECT_THAT(names_of(*body), ElementsAre("b", "a"));
  EXPECT_NE(body->members[0].text, canonical_form_body("b=3&a=2&b=1", form_type)->members[0].text);
}

TEST(form_body, is_only_read_from_its_own_content_type) {
  EXPECT_TRUE(canonical_form_body("a=b", "Application/X-WWW-Form-Urlencoded; charset=utf-8"));
  for (const char* type : {"", "application/json", "text/plain", "application/x-www-form-urlencoded2",
                           "application/x-www-form-urlencoded; broken"}) {
    EXPECT_FALSE(canonical_form_body("a=b", type)) << type;
  }
}

TEST(form_body, is_not_read_where_an_escape_is_broken) {
  for (const char* body : {"a=%", "a=%4", "a=%4g", "%=a", "a=%%41"})
    EXPECT_FALSE(canonical_form_body(body, form_type)) << body;
}

TEST(form_body, shows_no_name_that_cannot_be_shown) {
  const std::string long_name(fingerprint_member_name_bytes_max + 1, 'x');
  EXPECT_THAT(names_of(*canonical_form_body("a%0a=1&b%ff=2&c%7f=3&" + long_name + "=4&ok=5", form_type)),
              ElementsAre("ok"));
}

TEST(form_body, shows_all_names_or_none) {
  std::string body;
  for (std::size_t i = 0; i < fingerprint_members_max; ++i)
    body += "f" + std::to_string(i) + "=1&";
  EXPECT_EQ(canonical_form_body(body, form_type)->members.size(), fingerprint_members_max);
  EXPECT_EQ(canonical_form_body(body + "one=1&more=2", form_type)->members.size(), 0u);
}

// ---- Multipart -----------------------------------------------------------------------------------------------------

using parts = std::vector<std::pair<std::string, std::string>>;

std::string multipart(const std::string& boundary, const parts& given) {
  std::string body;
  for (const auto& [fields, content] : given) {
    body += "--" + boundary + "\r\n" + fields + (fields.empty() ? "" : "\r\n") + "\r\n" + content + "\r\n";
  }
  return body + "--" + boundary + "--\r\n";
}

std::string type_with(const std::string& boundary) {
  return "multipart/form-data; boundary=" + boundary;
}

const parts two_parts = {
    {"Content-Disposition: form-data; name=\"amount\"", "7"},
    {"content-disposition: form-data; filename=a.txt; name=file\r\nContent-Type: text/plain", "a\r\nb--\r\n"}};

TEST(multipart_body, does_not_depend_on_the_boundary) {
  const auto first = canonical_multipart_body(multipart("x", two_parts), type_with("x"));
  const auto second =
      canonical_multipart_body(multipart("----y7", two_parts), "Multipart/Form-Data; charset=a; Boundary=\"----y7\"");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->text, second->text);
  EXPECT_THAT(names_of(*first), ElementsAre("amount", "file"));
}

TEST(multipart_body, depends_on_everything_else) {
  const std::string text = canonical_multipart_body(multipart("x", two_parts), type_with("x"))->text;
  for (std::size_t i = 0; i < two_parts.size(); ++i) {
    parts changed = two_parts;
    changed[i].second += "!";
    EXPECT_NE(canonical_multipart_body(multipart("x", changed), type_with("x"))->text, text);
    changed = two_parts;
    changed[i].first += "; x=y";
    EXPECT_NE(canonical_multipart_body(multipart("x", changed), type_with("x"))->text, text);
    changed = two_parts;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_NE(canonical_multipart_body(multipart("x", changed), type_with("x"))->text, text);
  }
  const parts turned = {two_parts[1], two_parts[0]};
  EXPECT_NE(canonical_multipart_body(multipart("x", turned), type_with("x"))->text, text);
}

TEST(multipart_body, takes_a_part_without_fields_or_content) {
  const auto body = canonical_multipart_body(multipart("x", {{"", ""}, {"A: b", ""}, {"", "c"}}), type_with("x"));
  ASSERT_TRUE(body);
  EXPECT_THAT(names_of(*body), IsEmpty());
}

TEST(multipart_body, is_not_read_where_its_shape_is_in_doubt) {
  const std::string good = multipart("x", two_parts);
  ASSERT_TRUE(canonical_multipart_body(good, type_with("x")));
  for (std::size_t length = 0; length < good.size(); ++length) {
    const bool lacks_the_last_line_end_only = length == good.size() - 2;
    EXPECT_EQ(canonical_multipart_body(good.substr(0, length), type_with("x")).has_value(),
              lacks_the_last_line_end_only)
        << length;
  }
  EXPECT_FALSE(canonical_multipart_body("preamble\r\n" + good, type_with("x")));
  EXPECT_FALSE(canonical_multipart_body(good + "epilogue", type_with("x")));
  EXPECT_FALSE(canonical_multipart_body("--x\nA: b\n\nc\n--x--\n", type_with("x")));
  EXPECT_FALSE(canonical_multipart_body("--x \r\n\r\nc\r\n--x--", type_with("x")));
  EXPECT_FALSE(canonical_multipart_body("--x\r\n\r\nc\r\n--xy\r\n\r\nd\r\n--x--", type_with("x")));
  EXPECT_FALSE(canonical_multipart_body("--x\r\nA: b\r\n--x--", type_with("x")));
  EXPECT_TRUE(canonical_multipart_body("--x--", type_with("x")));
}

TEST(multipart_body, needs_one_plain_boundary) {
  const std::string body = multipart("x", two_parts);
  for (const char* type : {"", "multipart/form-data", "multipart/form-data; boundary",
                           "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
                           "multipart/form-data; boundary=x; boundary=x", "multipart/form-data; boundary=\"x",
                           "multipart/form-data; boundary=\"\\x\"", "text/plain; boundary=x",
                           "multipart/form-data; boundary=y", "multipart/form-data; boundary=x y"}) {
    EXPECT_FALSE(canonical_multipart_body(body, type)) << type;
  }
  const std::string longest(70, 'b');
  EXPECT_TRUE(canonical_multipart_body(multipart(longest, two_parts), type_with(longest)));
  EXPECT_FALSE(canonical_multipart_body(multipart(longest + "b", two_parts), type_with(longest + "b")));
}

TEST(content_type_without_boundary, keeps_everything_else) {
  EXPECT_EQ(content_type_without_boundary("multipart/form-data; boundary=x"), "multipart/form-data");
  EXPECT_EQ(content_type_without_boundary("multipart/mixed; a=1;boundary=\"x;y\"; b=\"2;\""),
            "multipart/mixed;a=1;b=\"2;\"");
  EXPECT_EQ(content_type_without_boundary("text/plain; boundary=x"), "text/plain; boundary=x");
  EXPECT_EQ(content_type_without_boundary("multipart/form-data; broken"), "multipart/form-data; broken");
}

}  // namespace
}  // namespace onceward::core
