#include "gateway/config_document.h"

#include <gtest/gtest.h>

namespace onceward::gateway {
namespace {

std::string errors_of(std::string_view text) {
  config_findings findings;
  parse_config_document(text, findings);
  std::string all;
  for (const config_finding& one : findings)
    all += describe(one, "f") + "\n";
  return all;
}

TEST(config_document, knows_the_place_of_every_value) {
  config_findings findings;
  const auto root = parse_config_document("a: 1\nb:\n  - x\n  - {c: d}\n", findings);
  ASSERT_TRUE(root);
  EXPECT_TRUE(findings.empty());
  const auto& map = std::get<config_map>(root->value);
  EXPECT_EQ(map.find("a")->node.where.column, 4);
  EXPECT_EQ(map.find("b")->where.line, 2);
  const auto& list = std::get<config_list>(map.find("b")->node.value);
  ASSERT_EQ(list.items.size(), 2U);
  EXPECT_EQ(list.items[0].where.line, 3);
  EXPECT_EQ(list.items[0].where.column, 5);
  const config_entry* inner = std::get<config_map>(list.items[1].value).find("c");
  ASSERT_NE(inner, nullptr);
  EXPECT_EQ(inner->node.where.line, 4);
  EXPECT_EQ(inner->node.where.column, 9);
  EXPECT_EQ(std::get<config_scalar>(inner->node.value).text, "d");
  EXPECT_EQ(map.find("c"), nullptr);
}

TEST(config_document, places_a_missing_value_at_its_key) {
  config_findings findings;
  const auto root = parse_config_document("a:\n\n\nb: 1\n", findings);
  ASSERT_TRUE(root);
  const config_entry* entry = std::get<config_map>(root->value).find("a");
  EXPECT_TRUE(std::holds_alternative<config_null>(entry->node.value));
  EXPECT_EQ(entry->node.where.line, 1);
}

TEST(config_document, takes_an_empty_text_for_nothing) {
  for (const char* text : {"", "\n", "# only a comment\n", "---\n", "---\n...\n"}) {
    config_findings findings;
    const auto root = parse_config_document(text, findings);
    ASSERT_TRUE(root) << text;
    EXPECT_TRUE(std::holds_alternative<config_null>(root->value)) << text;
  }
}

TEST(config_document, refuses_the_parts_of_yaml_that_hide_what_a_file_says) {
  EXPECT_EQ(errors_of("a: &x 1\nb: *x\n"),
            "f:1:4: error: anchors are not read; what routes share goes under `defaults`\n");
  EXPECT_EQ(errors_of("a: !!str 1\n"), "f:1:4: error: tags are not read\n");
  EXPECT_EQ(errors_of("a: 1\n---\nb: 2\n"),
            "f:3:1: error: the document is over here: wrong indentation, or a second document\n");
  EXPECT_EQ(errors_of("? [a]\n: 1\n"), "f:1:3: error: a key must be a word, not a list or a map\n");
  EXPECT_EQ(errors_of("~: 1\n"), "f:1:1: error: a key must be a word\n");
  EXPECT_EQ(errors_of("<<: 1\na: 2\n"), "");
}

TEST(config_document, tells_of_every_key_that_is_there_twice) {
  EXPECT_EQ(errors_of("a: 1\nb: {c: 1, c: 2}\na: 3\na: 4\n"),
            "f:2:11: error: `c` is given twice; first in line 2\n"
            "f:3:1: error: `a` is given twice; first in line 1\n"
            "f:4:1: error: `a` is given twice; first in line 1\n");
}

TEST(config_document, tells_where_the_text_is_no_yaml) {
  EXPECT_EQ(errors_of("a: [1, 2\nb: 3\n"), "f:2:2: error: is not YAML: end of sequence flow not found\n");
  EXPECT_EQ(errors_of("a: 1\nb: 'x"), "f:2:6: error: is not YAML: illegal EOF in scalar\n");
  EXPECT_EQ(errors_of("a: b\n c: d\n"), "f:2:3: error: is not YAML: illegal map value\n");
}

TEST(config_document, refuses_what_is_deeper_or_larger_than_any_configuration) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(errors_of(nested(config_depth_max)), "");
  EXPECT_EQ(errors_of(nested(config_depth_max + 1)), "f:1:17: error: nested deeper than 16 levels\n");
  EXPECT_NE(errors_of(std::string(500'000, '[')), "");

  std::string many;
  for (std::size_t i = 0; i < config_values_max + 1; ++i)
    many += "- a\n";
  EXPECT_NE(errors_of(many).find("more than 20000 values"), std::string::npos);
  EXPECT_EQ(errors_of(std::string(config_bytes_max, '#')), "");
  EXPECT_EQ(errors_of(std::string(config_bytes_max + 1, '#')), "f: error: is larger than 1048576 bytes\n");
}

}  // namespace
}  // namespace onceward::gateway
