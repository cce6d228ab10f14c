#include "core/idempotency_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace onceward::core {
namespace {

using testing::HasSubstr;

using head = std::vector<std::pair<std::string, std::string>>;

key_reading read(const key_policy& rules, const head& lines, std::string_view body = {}) {
  std::vector<http::field_view> fields = {http::make_field("Host", "example.com")};
  for (const auto& [name, value] : lines)
    fields.push_back(http::make_field(name, value));
  const auto reader = key_reader::make(rules);
  EXPECT_TRUE(reader);
  return reader->read(fields, body);
}

// The key, or the problem's word in angle brackets, or "<none>".
std::string outcome(const key_reading& reading) {
  if (const auto* key = std::get_if<idempotency_key>(&reading)) return key->value;
  if (const auto* refused = std::get_if<problem>(&reading)) return "<" + std::string(type_word(*refused)) + ">";
  return "<none>";
}

std::string detail(const key_reading& reading) {
  return std::get<problem>(reading).detail;
}

struct value_row {
  std::string value;
  std::string strict;
  std::string lenient;
};

class key_value : public testing::TestWithParam<value_row> {};

TEST_P(key_value, is_read_by_both_syntaxes) {
  key_policy rules;
  EXPECT_EQ(outcome(read(rules, {{"Idempotency-Key", GetParam().value}})), GetParam().lenient);
  rules.syntax = key_syntax::strict;
  EXPECT_EQ(outcome(read(rules, {{"Idempotency-Key", GetParam().value}})), GetParam().strict);
}

const std::string bad = "<key-invalid>";

INSTANTIATE_TEST_SUITE_P(
    table, key_value,
    testing::Values(
        // A Structured Field String, with and without parameters.
        value_row{"\"k\"", "k", "k"},
        value_row{"\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", "8e03978e-40d5-43dd-bc93-6894a57f9324",
                  "8e03978e-40d5-43dd-bc93-6894a57f9324"},
        value_row{"\"k\";v=1", "k", "k"}, value_row{"\"k\"; a; b=?1", "k", "k"}, value_row{"\"a b\"", "a b", "a b"},
        value_row{"\"a,b;c\"", "a,b;c", "a,b;c"}, value_row{R"("a\"b\\c")", "a\"b\\c", "a\"b\\c"},
        // Other items, and values that are none: bare keys where they may be.
        value_row{"k", bad, "k"}, value_row{"stripe-node-retry-8e03978e", bad, "stripe-node-retry-8e03978e"},
        value_row{"42", bad, "42"}, value_row{"4.5", bad, "4.5"}, value_row{"?1", bad, "?1"},
        value_row{":aGk=:", bad, ":aGk=:"}, value_row{"@1659578233", bad, "@1659578233"}, value_row{"(a)", bad, "(a)"},
        value_row{"a=b/c", bad, "a=b/c"}, value_row{"a\\b", bad, "a\\b"}, value_row{"{a}", bad, "{a}"},
        value_row{"'k'", bad, "'k'"},
        // Wrong in both.
        value_row{"", bad, bad}, value_row{"\"\"", bad, bad}, value_row{"\"   \"", bad, bad},
        value_row{"a,b", bad, bad}, value_row{"\"a\", \"b\"", bad, bad}, value_row{"\"a\",", bad, bad},
        value_row{"(\"a\" \"b\")", bad, bad}, value_row{"a;v=1", bad, bad}, value_row{"a b", bad, bad},
        value_row{"a\tb", bad, bad}, value_row{"a\"b", bad, bad}, value_row{"\"k", bad, bad},
        value_row{"\"k\"x", bad, bad}, value_row{"\"k\" \"l\"", bad, bad}, value_row{"\"a\\n\"", bad, bad},
        value_row{"\"\xc3\xa9\"", bad, bad}, value_row{"k\xc3\xa9", bad, bad}, value_row{"k\xa0", bad, bad},
        value_row{"\"k\";", bad, bad}, value_row{"\"k\";V=1", bad, bad}));

TEST(key_reader, takes_the_quoted_and_the_bare_form_for_one_key) {
  EXPECT_EQ(outcome(read({}, {{"Idempotency-Key", "\"k-1\""}})), outcome(read({}, {{"idempotency-key", "k-1"}})));
}

TEST(key_reader, passes_a_request_without_a_key_unless_one_is_required) {
  key_policy rules;
  EXPECT_EQ(outcome(read(rules, {})), "<none>");
  rules.presence = key_presence::required;
  EXPECT_EQ(outcome(read(rules, {})), "<key-missing>");
  EXPECT_EQ(outcome(read(rules, {{"Idempotency-Key", "k"}})), "k");
  rules.presence = key_presence::forbidden;
  EXPECT_EQ(outcome(read(rules, {})), "<none>");
  EXPECT_EQ(outcome(read(rules, {{"Idempotency-Key", "k"}})), "<key-forbidden>");
  EXPECT_EQ(outcome(read(rules, {{"Idempotency-Key", ""}})), "<key-forbidden>");
}

TEST(key_reader, refuses_two_lines_even_if_they_are_equal) {
  const key_reading reading = read({}, {{"Idempotency-Key", "k"}, {"idempotency-KEY", "k"}});
  EXPECT_EQ(outcome(reading), bad);
  EXPECT_THAT(detail(reading), HasSubstr("more than once"));
}

TEST(key_reader, knows_other_names_of_the_field) {
  key_policy rules;
  rules.aliases = {"X-Idempotency-Key", "chargebee-idempotency-key", "idempotency-key"};
  EXPECT_EQ(outcome(read(rules, {{"X-IDEMPOTENCY-KEY", "k"}})), "k");
  EXPECT_EQ(outcome(read(rules, {{"Chargebee-Idempotency-Key", "k"}})), "k");
  EXPECT_EQ(outcome(read(rules, {{"Idempotency-Key", "\"k\""}, {"X-Idempotency-Key", "k"}})), "k");
  const key_reading different = read(rules, {{"Idempotency-Key", "k"}, {"X-Idempotency-Key", "l"}});
  EXPECT_EQ(outcome(different), bad);
  EXPECT_EQ(detail(different), "Idempotency-Key and X-Idempotency-Key hold two different keys.");
  EXPECT_EQ(outcome(read(rules, {{"X-Idempotency-Key", "k"}, {"X-Idempotency-Key", "k"}})), bad);
  EXPECT_EQ(outcome(read(rules, {{"X-Other", "k"}})), "<none>");

  const auto reader = key_reader::make(rules);
  EXPECT_TRUE(reader->is_key_field(http::make_field("idempotency-key", "")));
  EXPECT_TRUE(reader->is_key_field(http::make_field("x-idempotency-key", "")));
  EXPECT_FALSE(reader->is_key_field(http::make_field("x-request-id", "")));
}

TEST(key_reader, takes_another_name_instead) {
  key_policy rules;
  rules.header = "X-Traceability-Id";
  EXPECT_EQ(outcome(read(rules, {{"x-traceability-id", "k"}, {"Idempotency-Key", "l"}})), "k");
}

TEST(key_reader, keeps_to_the_length_limits) {
  key_policy rules;
  const std::string longest(255, 'k');
  EXPECT_EQ(outcome(read(rules, {{"Idempotency-Key", longest}})), longest);
  EXPECT_EQ(outcome(read(rules, {{"Idempotency-Key", "\"" + longest + "\""}})), longest) << "quotes do not count";
  EXPECT_EQ(outcome(read(rules, {{"Idempotency-Key", longest + "k"}})), bad);
  EXPECT_THAT(detail(read(rules, {{"Idempotency-Key", longest + "k"}})), HasSubstr("longer than 255"));
  rules.length_min = 16;
  EXPECT_EQ(outcome(read(rules, {{"Idempotency-Key", std::string(16, 'k')}})), std::string(16, 'k'));
  EXPECT_THAT(detail(read(rules, {{"Idempotency-Key", std::string(15, 'k')}})), HasSubstr("shorter than 16"));
}

TEST(key_reader, can_ask_for_a_uuid) {
  key_policy rules;
  rules.format = key_format::uuid;
  for (const char* good : {"8e03978e-40d5-43dd-bc93-6894a57f9324", "8E03978E-40D5-43DD-BC93-6894A57F9324"}) {
    EXPECT_EQ(outcome(read(rules, {{"Idempotency-Key", good}})), good);
  }
  for (const char* wrong : {"k", "8e03978e40d543ddbc936894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f932",
                            "8e03978e-40d5-43dd-bc93-6894a57f93244", "8e03978e-40d5-43dd-bc93_6894a57f9324",
                            "8e03978e-40d5-43dd-bc93-6894a57f932g", "{8e03978e-40d5-43dd-bc93-6894a57f93}"}) {
    EXPECT_EQ(outcome(read(rules, {{"Idempotency-Key", wrong}})), bad) << wrong;
  }
}

TEST(key_reader, can_ask_for_a_pattern_that_the_whole_key_matches) {
  key_policy rules;
  rules.pattern = "order-[0-9]+";
  EXPECT_EQ(outcome(read(rules, {{"Idempotency-Key", "order-17"}})), "order-17");
  for (const char* wrong : {"order-", "xorder-17", "order-17x"}) {
    EXPECT_EQ(outcome(read(rules, {{"Idempotency-Key", wrong}})), bad) << wrong;
  }
}

struct pointer_row {
  std::string_view body;
  std::string key;
};

class key_in_the_body : public testing::TestWithParam<pointer_row> {};

TEST_P(key_in_the_body, is_read_by_its_pointer) {
  key_policy rules;
  rules.pointer = "/meta/key";
  EXPECT_EQ(outcome(read(rules, {}, GetParam().body)), GetParam().key);
}

INSTANTIATE_TEST_SUITE_P(
    table, key_in_the_body,
    testing::Values(pointer_row{R"({"meta":{"key":"k"}})", "k"}, pointer_row{R"({"meta":{"key":"\u006b 1"}})", "k 1"},
                    pointer_row{R"({"meta":{"key":null}})", "<none>"}, pointer_row{R"({"meta":{}})", "<none>"},
                    pointer_row{R"({"meta":7})", "<none>"}, pointer_row{"[]", "<none>"}, pointer_row{"", "<none>"},
                    pointer_row{"a=b", "<none>"}, pointer_row{R"({"meta":{"key":7}})", bad},
                    pointer_row{R"({"meta":{"key":true}})", bad}, pointer_row{R"({"meta":{"key":["k"]}})", bad},
                    pointer_row{R"({"meta":{"key":{}}})", bad}, pointer_row{R"({"meta":{"key":""}})", bad},
                    pointer_row{R"({"meta":{"key":"  "}})", bad}, pointer_row{R"({"meta":{"key":"\u00e9"}})", bad},
                    pointer_row{R"({"meta":{"key":"a\nb"}})", bad},
                    // Two readers could take two different keys.
                    pointer_row{R"({"meta":{"key":"k","key":"l"}})", bad},
                    pointer_row{R"({"meta":{"key":"k"},"meta":{}})", bad},
                    pointer_row{R"({"meta":{"key":"k"},"x":{"a":1,"a":2}})", "k"}));

TEST(key_in_the_body, meets_the_one_in_the_field) {
  key_policy rules;
  rules.pointer = "/idempotency_key";
  const std::string_view body = R"({"idempotency_key":"k"})";
  EXPECT_EQ(outcome(read(rules, {{"Idempotency-Key", "\"k\""}}, body)), "k");
  EXPECT_EQ(outcome(read(rules, {{"Idempotency-Key", "k"}}, "{}")), "k");
  const key_reading different = read(rules, {{"Idempotency-Key", "l"}}, body);
  EXPECT_EQ(outcome(different), bad);
  EXPECT_THAT(detail(different), HasSubstr("two different keys"));
}

TEST(key_in_the_body, is_refused_rather_than_overlooked) {
  key_policy rules;
  rules.pointer = "/idempotency_key";
  const std::string deep = R"({"idempotency_key":"k","x":)" + std::string(200, '[') + std::string(200, ']') + "}";
  EXPECT_EQ(outcome(read(rules, {}, deep)), bad);
  rules.presence = key_presence::forbidden;
  EXPECT_EQ(outcome(read(rules, {}, R"({"idempotency_key":"k"})")), "<key-forbidden>");
  EXPECT_EQ(outcome(read(rules, {}, "{}")), "<none>");
  rules.presence = key_presence::required;
  EXPECT_EQ(outcome(read(rules, {}, "{}")), "<key-missing>");
}

TEST(key_reader, needs_the_body_only_where_a_pointer_is_configured) {
  key_policy rules;
  EXPECT_FALSE(key_reader::make(rules)->reads_body());
  EXPECT_EQ(outcome(read(rules, {}, R"({"idempotency_key":"k"})")), "<none>");
  rules.pointer = "/idempotency_key";
  EXPECT_TRUE(key_reader::make(rules)->reads_body());
}

TEST(key_problem, says_what_is_wrong_and_not_which_key_it_was) {
  const std::vector<std::pair<std::string, std::string>> rows = {{"", "is empty"},
                                                                 {"secret,1", "is a list"},
                                                                 {"secret 1", "white space"},
                                                                 {"secret\xff", "not ASCII"},
                                                                 {"\"secret", "Structured Field"},
                                                                 {"\"  \"", "spaces only"}};
  for (const auto& [value, sentence] : rows) {
    const key_reading reading = read({}, {{"Idempotency-Key", value}});
    EXPECT_THAT(detail(reading), HasSubstr(sentence));
    EXPECT_THAT(detail(reading), testing::EndsWith("."));
    EXPECT_THAT(problem_document(std::get<problem>(reading)), testing::Not(HasSubstr("secret")));
  }
  key_policy strict;
  strict.syntax = key_syntax::strict;
  EXPECT_THAT(detail(read(strict, {{"Idempotency-Key", "k"}})), HasSubstr("double quotes"));
}

TEST(forwarded_key, has_the_form_that_the_route_asks_for) {
  const auto forwarded = [](key_forwarding form, std::string_view as_sent, std::string_view key) {
    std::string out;
    append_forwarded_key(out, form, as_sent, key);
    return out;
  };
  EXPECT_EQ(forwarded(key_forwarding::as_sent, "\"k\";v=1", "k"), "\"k\";v=1");
  EXPECT_EQ(forwarded(key_forwarding::bare, "\"k\";v=1", "k"), "k");
  EXPECT_EQ(forwarded(key_forwarding::quoted, "k", "k"), "\"k\"");
  EXPECT_EQ(forwarded(key_forwarding::quoted, "", "a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(outcome(read({}, {{"Idempotency-Key", forwarded(key_forwarding::quoted, "", "a\"b\\c")}})), "a\"b\\c");
}

}  // namespace
}  // namespace onceward::core
