#include "http/characters.h"

#include <gtest/gtest.h>

#include <string>

namespace onceward::http {

namespace {

TEST(tchar, is_what_rfc_9110_lists) {
  const std::string listed = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    EXPECT_EQ(is_tchar(c), listed.find(c) != std::string::npos) << byte;
  }
}

TEST(token, is_not_empty) {
  EXPECT_TRUE(is_token("a"));
  EXPECT_FALSE(is_token(""));
  EXPECT_FALSE(is_token("a b"));
  EXPECT_FALSE(is_token("a,"));
}

TEST(trimmed, takes_space_and_tab_only) {
  EXPECT_EQ(trimmed(" \ta b\t "), "a b");
  EXPECT_EQ(trimmed(" \t "), "");
  EXPECT_EQ(trimmed("\xa0 a\x85"), "\xa0 a\x85");
  EXPECT_EQ(trimmed("\v a"), "\v a");
}

// At every distance from the start, so that the wide and the narrow part of the scan are both met.
TEST(find_control, finds_each_control_character_at_every_place) {
  for (std::size_t size = 0; size < 70; ++size) {
    std::string text(size, 'x');
    const char* const begin = text.data();
    const char* const end = begin + size;
    EXPECT_EQ(find_control(begin, end), end);
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        text[at] = static_cast<char>(byte);
        const bool control = (byte < 0x20 && byte != '\t') || byte == 0x7f;
        ASSERT_EQ(find_control(begin, end), control ? begin + at : end) << byte << " at " << at << " of " << size;
      }
      text[at] = 'x';
    }
  }
}

TEST(find_control_and_colon, finds_the_colon_before_a_control_character_at_every_distance) {
  for (std::size_t control = 0; control < 50; ++control) {
    for (std::size_t colon = 0; colon < 50; ++colon) {
      if (colon == control) continue;
      std::string text(50, 'x');
      text[49] = ':';  // Never the first before anything.
      text[colon] = ':';
      text[control] = '\r';
      const auto found = find_control_and_colon(text.data(), text.data() + text.size());
      ASSERT_EQ(found.control, text.data() + control) << colon;
      ASSERT_EQ(found.colon, colon < control ? text.data() + colon : nullptr) << control;
    }
  }
}

TEST(find_control_and_colon, agrees_with_find_control_on_every_byte_at_every_place) {
  for (std::size_t size = 0; size < 40; ++size) {
    std::string text(size, 'x');
    const char* const begin = text.data();
    const char* const end = begin + size;
    EXPECT_EQ(find_control_and_colon(begin, end).control, end);
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        text[at] = static_cast<char>(byte);
        const auto found = find_control_and_colon(begin, end);
        ASSERT_EQ(found.control, find_control(begin, end)) << byte << " at " << at << " of " << size;
        ASSERT_EQ(found.colon, byte == ':' ? begin + at : nullptr) << byte << " at " << at << " of " << size;
      }
      text[at] = 'x';
    }
  }
}

TEST(find_control, finds_the_first_of_several) {
  const std::string text = std::string(20, 'x') + "\r\n" + std::string(20, 'x') + "\r\n";
  EXPECT_EQ(find_control(text.data(), text.data() + text.size()), text.data() + 20);
}

TEST(trimmed_at_end, leaves_the_front) {
  EXPECT_EQ(trimmed_at_end(" a \t"), " a");
  EXPECT_EQ(trimmed_at_end(" \t"), "");
  EXPECT_EQ(trimmed_at_end("a\xa0"), "a\xa0");
}

TEST(field_value, has_no_line_end_and_no_white_space_around) {
  EXPECT_TRUE(is_field_value(""));
  EXPECT_TRUE(is_field_value("a b\tc\xff"));
  EXPECT_FALSE(is_field_value(" a"));
  EXPECT_FALSE(is_field_value("a\t"));
  EXPECT_FALSE(is_field_value("a\r\nX: y"));
  EXPECT_FALSE(is_field_value(std::string_view("a\0b", 3)));
}

}  // namespace

}  // namespace onceward::http
