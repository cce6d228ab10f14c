#include "core/json.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/limits.h"

namespace onceward::core {
namespace {

std::string canonical(std::string_view text) {
  const auto document = json_document::parse(text);
  EXPECT_TRUE(document) << text;
  std::string out;
  if (document) append_canonical(out, document->root());
  return out;
}

template <typename T>
std::optional<errc> error_of(const result<T>& made) {
  return made ? std::nullopt : std::optional(made.error());
}

struct canonical_row {
  std::string_view text;
  std::string_view canonical;
};

class json_text : public testing::TestWithParam<canonical_row> {};

TEST_P(json_text, has_this_canonical_form) {
  EXPECT_EQ(canonical(GetParam().text), GetParam().canonical);
  EXPECT_EQ(canonical(GetParam().canonical), GetParam().canonical) << "the form is its own form";
}

INSTANTIATE_TEST_SUITE_P(
    table, json_text,
    testing::Values(canonical_row{"null", "null"}, canonical_row{" true\t", "true"},
                    canonical_row{"\r\nfalse\n", "false"}, canonical_row{"{}", "{}"}, canonical_row{"[ ]", "[]"},
                    canonical_row{"[1 , 2,3]", "[1,2,3]"}, canonical_row{R"({"b":1,"a":2})", R"({"a":2,"b":1})"},
                    canonical_row{R"({"a":{"d":[],"c":{}}, "":0})", R"({"":0,"a":{"c":{},"d":[]}})"},
                    // Numbers are the text that was sent.
                    canonical_row{"0", "0"}, canonical_row{"-0", "-0"}, canonical_row{"1.0", "1.0"},
                    canonical_row{"1E+2", "1E+2"}, canonical_row{"1e2", "1e2"}, canonical_row{"0.10e-07", "0.10e-07"},
                    canonical_row{"9007199254740993", "9007199254740993"},
                    canonical_row{"123456789012345678901234567890", "123456789012345678901234567890"},
                    // Strings are what they say.
                    canonical_row{R"("\u0061\/\u002f")", R"("a//")"}, canonical_row{R"("\u00e9")", "\"\xc3\xa9\""},
                    canonical_row{R"("\ud83d\ude00")", "\"\xf0\x9f\x98\x80\""},
                    canonical_row{R"("\"\\\b\f\n\r\t")", R"("\"\\\b\f\n\r\t")"},
                    canonical_row{R"("\u0008\u001F\u0000")", R"("\b\u001f\u0000")"},
                    canonical_row{"\"\x7f\"", "\"\x7f\""}, canonical_row{R"("\uD83D")", R"("\ud83d")"},
                    canonical_row{R"("\ude00\uD83D")", R"("\ude00\ud83d")"},
                    canonical_row{R"("\ud83dx\ud83d\u0041")", R"("\ud83dx\ud83dA")"},
                    canonical_row{R"("\ud83d\ud83d\ude00")", "\"\\ud83d\xf0\x9f\x98\x80\""},
                    // Members come in the order of code points, not of UTF-16 units.
                    canonical_row{"{\"\xef\xbf\xbd\":1,\"\xf0\x9f\x98\x80\":2,\"z\":3}",
                                  "{\"z\":3,\"\xef\xbf\xbd\":1,\"\xf0\x9f\x98\x80\":2}"}));

TEST(json_document, refuses_what_is_not_json) {
  for (const std::string text : {
           "",
           " ",
           "nul",
           "nulll",
           "True",
           "{",
           "}",
           "[",
           "]",
           "[1,]",
           "[,1]",
           "[1 2]",
           "{,}",
           "{\"a\"}",
           "{\"a\":}",
           "{\"a\":1,}",
           "{a:1}",
           "{'a':1}",
           "{1:2}",
           "{\"a\" 1}",
           "01",
           "-",
           "+1",
           "1.",
           ".5",
           "1e",
           "1e+",
           "0x1",
           "00",
           "-01",
           "1 2",
           "NaN",
           "Infinity",
           "\"",
           "\"a",
           "\"\\\"",
           "\"\\x\"",
           "\"\\u12\"",
           "\"\\u12g4\"",
           "\"\\ud83d\\u12\"",
           "\"\n\"",
           "\"\t\"",
           "\"\x80\"",
           "\"\xc3\"",
           "\"\xed\xa0\x80\"",
           "\xef\xbb\xbf{}",
           "//\n1",
           "[1]//",
           "\"a\"b",
           "\v1",
           "\xc2\xa0"
           "1",
           "[\"a\",]",
           "{\"a\":1]",
           "[1}",
       }) {
    EXPECT_EQ(error_of(json_document::parse(text)), errc::invalid) << testing::PrintToString(text);
  }
  for (const std::string& text : {std::string("\0", 1), std::string("1\0", 2), std::string("\"\0\"", 3)}) {
    EXPECT_FALSE(json_document::parse(text));
  }
}

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST(json_document, is_nested_as_deep_as_the_limit_and_no_deeper) {
  EXPECT_TRUE(json_document::parse(nested(json_depth_max)));
  EXPECT_EQ(error_of(json_document::parse(nested(json_depth_max + 1))), errc::too_large);
  EXPECT_FALSE(json_document::parse(std::string(1'000'000, '[')));
  std::string objects;
  for (std::size_t i = 0; i < json_depth_max + 1; ++i)
    objects += "{\"a\":";
  EXPECT_EQ(error_of(json_document::parse(objects)), errc::too_large);
}

TEST(json_document, has_as_many_values_as_the_limit_and_no_more) {
  const auto zeros = [](std::size_t count) {
    std::string text = "[0";
    for (std::size_t i = 1; i < count; ++i)
      text += ",0";
    return text + "]";
  };
  EXPECT_TRUE(json_document::parse(zeros(json_values_max - 1)));
  EXPECT_EQ(error_of(json_document::parse(zeros(json_values_max + 1))), errc::too_large);
}

TEST(json_document, sees_duplicate_names_however_they_are_escaped) {
  for (const char* text : {R"({"a":1,"a":1})", R"({"a":1,"\u0061":2})", R"([{"x":{"":1,"":2}}])"}) {
    EXPECT_TRUE(json_document::parse(text)->has_duplicate_names()) << text;
  }
  for (const char* text : {R"({"a":1,"A":1})", R"([{"a":1},{"a":1}])", R"({"a":{"a":1}})"}) {
    EXPECT_FALSE(json_document::parse(text)->has_duplicate_names()) << text;
  }
}

TEST(json_document, survives_being_moved) {
  const std::string text = R"({"\u0061":"\u0062","c":"d"})";
  result<json_document> first = json_document::parse(text);
  const json_document second = std::move(*first);
  std::string out;
  append_canonical(out, second.root());
  EXPECT_EQ(out, R"({"a":"b","c":"d"})");
}

TEST(canonical_form, leaves_out_the_values_it_is_told_to) {
  const std::string text = R"({"a":1,"b":{"c":2,"d":3},"e":[4,5]})";
  const result<json_document> document = json_document::parse(text);
  std::vector<json_value> without;
  for (const char* pointer : {"/a", "/b/d", "/e/0"}) {
    without.push_back(std::get<json_value>(find(document->root(), *json_pointer::parse(pointer))));
  }
  std::string out;
  append_canonical(out, document->root(), without);
  EXPECT_EQ(out, R"({"b":{"c":2},"e":[5]})");
}

// ---- Pointers ------------------------------------------------------------------------------------------------------

std::string found_at(std::string_view text, std::string_view pointer) {
  const auto document = json_document::parse(text);
  const auto parsed = json_pointer::parse(pointer);
  EXPECT_TRUE(document && parsed) << pointer;
  const json_found found = find(document->root(), *parsed);
  if (std::holds_alternative<json_absent>(found)) return "absent";
  if (std::holds_alternative<json_ambiguous>(found)) return "ambiguous";
  std::string out;
  append_canonical(out, std::get<json_value>(found));
  return out;
}

// The example document of RFC 6901 section 5.
TEST(json_pointer, finds_what_its_rfc_says) {
  constexpr std::string_view text =
      R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8})";
  EXPECT_EQ(found_at(text, ""), canonical(text));
  EXPECT_EQ(found_at(text, "/foo"), R"(["bar","baz"])");
  EXPECT_EQ(found_at(text, "/foo/0"), R"("bar")");
  EXPECT_EQ(found_at(text, "/"), "0");
  EXPECT_EQ(found_at(text, "/a~1b"), "1");
  EXPECT_EQ(found_at(text, "/c%d"), "2");
  EXPECT_EQ(found_at(text, "/e^f"), "3");
  EXPECT_EQ(found_at(text, "/g|h"), "4");
  EXPECT_EQ(found_at(text, "/i\\j"), "5");
  EXPECT_EQ(found_at(text, "/k\"l"), "6");
  EXPECT_EQ(found_at(text, "/ "), "7");
  EXPECT_EQ(found_at(text, "/m~0n"), "8");
}

TEST(json_pointer, finds_nothing_where_nothing_is) {
  constexpr std::string_view text = R"({"a":[10,11],"s":"x","n":null})";
  for (const char* pointer : {"/b", "/a/2", "/a/-", "/a/00", "/a/01", "/a/+1", "/a/x", "/a/99999999999999999999",
                              "/s/0", "/n/a", "/a/0/0", "/A"}) {
    EXPECT_EQ(found_at(text, pointer), "absent") << pointer;
  }
  EXPECT_EQ(found_at(text, "/n"), "null");
}

TEST(json_pointer, does_not_choose_between_two_members_of_one_name) {
  constexpr std::string_view text = R"({"k":"a","k":"b","o":{"x":1,"x":2},"ok":3})";
  EXPECT_EQ(found_at(text, "/k"), "ambiguous");
  EXPECT_EQ(found_at(text, "/k/a"), "ambiguous");
  EXPECT_EQ(found_at(text, "/o/x"), "ambiguous");
  EXPECT_EQ(found_at(text, "/ok"), "3");
}

TEST(json_pointer, is_refused_when_it_is_none) {
  for (const char* wrong : {"a", "a/b", "#/a", "/~", "/~2", "/a~", "/a~b"}) {
    EXPECT_EQ(error_of(json_pointer::parse(wrong)), errc::invalid) << wrong;
  }
  EXPECT_EQ(error_of(json_pointer::parse("/" + std::string(json_pointer_bytes_max, 'a'))), errc::too_large);
  std::string deep;
  for (std::size_t i = 0; i <= json_pointer_tokens_max; ++i)
    deep += "/a";
  EXPECT_EQ(error_of(json_pointer::parse(deep)), errc::too_large);
}

// ---- Properties ----------------------------------------------------------------------------------------------------

// A random document, and ways to write it that say the same, or something else.
struct sample {
  json_kind kind = json_kind::null;
  std::string text;  // A number's or literal's text; a string's content in printable characters and a few others.
  std::vector<sample> members;
  std::string name;  // Of a member.
};

class random_json {
 public:
  explicit random_json(unsigned seed) : random_(seed) {}

  sample make(int depth = 0) {
    sample made;
    made.kind = static_cast<json_kind>(pick(depth < 4 ? 6 : 4));
    switch (made.kind) {
      case json_kind::null:
        made.text = "null";
        break;
      case json_kind::boolean:
        made.text = pick(2) == 0 ? "true" : "false";
        break;
      case json_kind::number:
        made.text = numbers[pick(numbers.size())];
        break;
      case json_kind::string:
        made.text = text();
        break;
      case json_kind::array:
      case json_kind::object:
        for (std::size_t i = pick(5); i != 0; --i) {
          const std::string name = made.kind == json_kind::object ? text() : "";
          const bool is_known = std::ranges::any_of(made.members, [&](const auto& one) { return one.name == name; });
          if (made.kind == json_kind::object && is_known) continue;
          made.members.push_back(make(depth + 1));
          made.members.back().name = name;
        }
        break;
    }
    return made;
  }

  // The same document, in another order, with other white space and other escapes.
  std::string write(const sample& one) {
    std::string out = space();
    switch (one.kind) {
      case json_kind::null:
      case json_kind::boolean:
      case json_kind::number:
        out += one.text;
        break;
      case json_kind::string:
        out += quoted(one.text);
        break;
      case json_kind::array:
      case json_kind::object: {
        std::vector<sample> members = one.members;
        const bool is_object = one.kind == json_kind::object;
        if (is_object) std::ranges::shuffle(members, random_);
        out += is_object ? "{" : "[";
        out += space();
        for (std::size_t i = 0; i < members.size(); ++i) {
          if (i != 0) out += ",";
          if (is_object) out += space() + quoted(members[i].name) + space() + ":";
          out += write(members[i]);
        }
        out += is_object ? "}" : "]";
        break;
      }
    }
    return out + space();
  }

  // Changes one thing that a reader could notice.
  void edit(sample& one) {
    if (!one.members.empty() && pick(4) != 0) return edit(one.members[pick(one.members.size())]);
    switch (one.kind) {
      case json_kind::null:
        one = {json_kind::boolean, "false", {}, one.name};
        return;
      case json_kind::boolean:
        one.text = one.text == "true" ? "false" : "true";
        return;
      case json_kind::number:
        one.text = one.text == "1" ? "1.0" : "1";
        return;
      case json_kind::string:
        one.text.insert(pick(one.text.size() + 1), "!");
        return;
      case json_kind::array:
        one.members.push_back({json_kind::null, "null", {}, ""});
        return;
      case json_kind::object:
        one.members.push_back({json_kind::null, "null", {}, "a name of its own"});
        return;
    }
  }

  std::size_t pick(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_); }

 private:
  static constexpr std::array<const char*, 8> numbers = {"0", "-0", "1", "1.0", "1e0", "10", "9007199254740993", "0.1"};

  std::string text() {
    static constexpr std::string_view alphabet = "ab\"\\/\n\t\x01 ~{}[]:,";
    std::string made;
    for (std::size_t i = pick(5); i != 0; --i)
      made.push_back(alphabet[pick(alphabet.size())]);
    return made;
  }

  std::string space() {
    static constexpr std::string_view alphabet = " \t\r\n";
    std::string made;
    for (std::size_t i = pick(3); i != 0; --i)
      made.push_back(alphabet[pick(alphabet.size())]);
    return made;
  }

  std::string quoted(std::string_view content) {
    std::string out = "\"";
    for (const char c : content) {
      if (c < ' ' || c == '"' || c == '\\' || pick(3) == 0) {
        char escaped[8];
        std::snprintf(escaped, sizeof escaped, pick(2) == 0 ? "\\u%04x" : "\\u%04X", static_cast<unsigned>(c));
        out += escaped;
      } else {
        out.push_back(c);
      }
    }
    return out + "\"";
  }

  std::mt19937 random_;
};

TEST(canonical_form, is_one_for_all_ways_to_write_a_document) {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    random_json random(seed);
    const sample document = random.make();
    const std::string expected = canonical(random.write(document));
    for (int way = 0; way < 4; ++way) {
      const std::string text = random.write(document);
      ASSERT_EQ(canonical(text), expected) << text;
    }
    ASSERT_EQ(canonical(expected), expected);
    ASSERT_TRUE(nlohmann::json::accept(expected)) << expected;
  }
}

TEST(canonical_form, is_another_after_any_edit) {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    random_json random(seed);
    const sample before = random.make();
    sample after = before;
    random.edit(after);
    ASSERT_NE(canonical(random.write(after)), canonical(random.write(before))) << seed;
  }
}

// What another parser takes for JSON and what it understands.
TEST(json_document, agrees_with_another_parser_about_damaged_texts) {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    random_json random(seed);
    std::string text = random.write(random.make());
    const std::string_view pieces = "{}[]\",:\\u0123456789truefalsn-+.eE \n\x01\x80";
    for (std::size_t i = random.pick(3); i != 0; --i)
      text[random.pick(text.size())] = pieces[random.pick(pieces.size())];
    const auto ours = json_document::parse(text);
    // The other parser refuses numbers that no double can hold, and lone surrogates.
    const bool theirs = nlohmann::json::accept(text);
    if (theirs) {
      EXPECT_TRUE(ours) << text;
    } else if (ours) {
      std::string form;
      append_canonical(form, ours->root());
      EXPECT_FALSE(nlohmann::json::accept(form)) << form << " from " << text;
    }
  }
}

}  // namespace
}  // namespace onceward::core
