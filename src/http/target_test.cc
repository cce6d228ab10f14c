#include "http/target.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace onceward::http {

namespace {

std::string taken_apart(std::string_view target) {
  const auto parsed = parse_target(target);
  if (!parsed) return "refused";
  std::string text = std::to_string(static_cast<int>(parsed->form)) + " [" + std::string(parsed->authority) + "] [" +
                     std::string(parsed->path) + "]";
  if (parsed->query) text += " [" + std::string(*parsed->query) + "]";
  return text;
}

TEST(parse_target, takes_the_four_forms_apart) {
  EXPECT_EQ(taken_apart("/"), "0 [] [/]");
  EXPECT_EQ(taken_apart("/a/b?c=d?e"), "0 [] [/a/b] [c=d?e]");
  EXPECT_EQ(taken_apart("/?"), "0 [] [/] []");
  EXPECT_EQ(taken_apart("//a@b:c/"), "0 [] [//a@b:c/]");
  EXPECT_EQ(taken_apart("http://a/b"), "1 [a] [/b]");
  EXPECT_EQ(taken_apart("HTTPS://a:1?b"), "1 [a:1] [] [b]");
  EXPECT_EQ(taken_apart("http://[::1]:80/http://x/"), "1 [[::1]:80] [/http://x/]");
  EXPECT_EQ(taken_apart("a:443"), "2 [a:443] []");
  EXPECT_EQ(taken_apart("[::1]:443"), "2 [[::1]:443] []");
  EXPECT_EQ(taken_apart("*"), "3 [] [*]");
}

TEST(parse_target, keeps_what_rfc_3986_would_have_encoded) {
  EXPECT_EQ(taken_apart("/\"<>[]\\^`{|}?\"<>[]\\^`{|}"), "0 [] [/\"<>[]\\^`{|}] [\"<>[]\\^`{|}]");
}

TEST(parse_target, refuses_what_has_none_of_the_forms) {
  for (const std::string_view target :
       {"",        "a",        "a/b",    "?a",      "#",        "/#",       "/a b",        "/\x7f",
        "/\x80",   "http:/a",  "http:a", "http://", "http:///", "http://?", "http://u@a/", "http://a b/",
        "ws://a/", "http//a/", "**",     "a:",      ":1",       "a:b",      "a:1:2"}) {
    EXPECT_EQ(taken_apart(target), "refused") << target;
  }
}

TEST(is_authority, takes_a_host_with_an_optional_port) {
  for (const std::string_view text : {"a", "a.example", "A-b_c.~", "127.0.0.1", "a:0", "a:65535", "a:", "a:00080",
                                      "[::1]", "[::ffff:1.2.3.4]:80", "%41", "a!$&'()*+;="}) {
    EXPECT_TRUE(is_authority(text)) << text;
  }
}

TEST(is_authority, refuses_everything_else) {
  for (const std::string_view text :
       {"",      ":",      ":1",     "a:65536", "a:1x", "a:-1",  "a: 1",       "a@b",
        "a/b",   "a?b",    "a#b",    "a,b",     "a b",  "a\tb",  "a\x80",      "%4",
        "%4g",   "a\\b",   "a[",     "[",       "[]",   "[:]",   "[1]",        "[::1",
        "[::g]", "[::1]x", "[::1]1", "[::1]:x", "::1",  "a:1:2", "[v1.x:y:z]", "[fe80::1%25eth0]"}) {
    EXPECT_FALSE(is_authority(text)) << text;
  }
}

TEST(classify_path, takes_a_path_as_plain_only_if_all_readers_agree_on_it) {
  for (const std::string_view path : {"/", "/a/b", "/a/", "/a.b", "/.well-known/x", "/..a", "/a..", "/a.../b", "/...",
                                      "/a;b=c", "/a%20b", "/%C3%A4", "/a%3Ab", "/%25", "/a:b@c", "*"}) {
    EXPECT_EQ(classify_path(path), path_class::plain) << path;
  }
}

TEST(classify_path, names_what_makes_a_path_ambiguous) {
  const auto expect = [](path_class expected, std::initializer_list<std::string_view> paths) {
    for (const std::string_view path : paths)
      EXPECT_EQ(classify_path(path), expected) << path;
  };
  expect(path_class::dot_segment,
         {"/.", "/..", "/a/../b", "/a/.", "/./a", "/%2e%2E/a", "/.%2e/a", "/%2e", "/..;x/a", "/.;"});
  expect(path_class::empty_segment, {"//", "//a", "/a//b", "/a//"});
  expect(path_class::backslash, {"/\\", "/a\\..\\b", "/a%5Cb", "/a%5cb"});
  expect(path_class::encoded_slash, {"/a%2fb", "/a%2Fb", "/a/..%2fb"});
  expect(path_class::encoded_control, {"/%00", "/a%0d%0ab", "/%1F", "/%7f"});
  expect(path_class::encoded_unreserved, {"/%61dmin", "/%41", "/a%2Db", "/a%5F", "/%7Ea", "/a%30", "/a%2Eb"});
  expect(path_class::malformed_encoding, {"/%", "/%2", "/%zz", "/%2g", "/a%"});
}

TEST(classify_path, has_a_word_for_each_class) {
  EXPECT_EQ(to_string(path_class::plain), "plain");
  EXPECT_EQ(to_string(path_class::dot_segment), "dot-segment");
  EXPECT_EQ(to_string(path_class::malformed_encoding), "malformed-encoding");
}

}  // namespace

}  // namespace onceward::http
