#include "core/record_codec.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/checksum.h"
#include "core/limits.h"

namespace onceward::core {
namespace {

using namespace std::string_literals;

std::vector<std::pair<std::string, std::string>> fields_of(std::string_view lines) {
  std::vector<std::pair<std::string, std::string>> fields;
  field_lines_view view(lines);
  http::field_view field;
  while (view.next(field))
    fields.emplace_back(field.name, field.value);
  return fields;
}

const std::vector<http::field_view> kept = {http::make_field("Content-Type", "application/json"),
                                            http::make_field("Location", "/v1/charges/7"),
                                            http::make_field("X-Empty", "")};
const std::vector<http::field_view> renamed = {http::make_field("Date", "Sun, 06 Nov 1994 08:49:37 GMT")};

std::string seal(std::string bytes) {
  const std::uint64_t sum = base::checksum(bytes);
  for (int shift = 0; shift < 64; shift += 8)
    bytes.push_back(static_cast<char>(sum >> shift & 0xff));
  return bytes;
}

TEST(stored_response, comes_back_as_it_went) {
  const std::string body = "{\"id\":7}\0\r\n\xff"s;
  const shared_bytes bytes = write_response({201, kept, renamed, body});
  const auto response = read_response(*bytes);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->body, body);
  EXPECT_FALSE(response->has_cache_control);
  EXPECT_EQ(
      fields_of(response->fields),
      (decltype(fields_of("")){{"Content-Type", "application/json"}, {"Location", "/v1/charges/7"}, {"X-Empty", ""}}));
  EXPECT_EQ(fields_of(response->renamed_fields), (decltype(fields_of("")){{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"}}));
}

TEST(stored_response, may_have_neither_fields_nor_body) {
  const auto response = read_response(*write_response({204, {}, {}, ""}));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 204);
  EXPECT_EQ(response->fields, "");
  EXPECT_EQ(response->renamed_fields, "");
  EXPECT_EQ(response->body, "");
}

TEST(stored_response, knows_whether_the_upstream_spoke_of_caching) {
  const http::field_view cache = http::make_field("cache-control", "private");
  EXPECT_TRUE(read_response(*write_response({200, {&cache, 1}, {}, ""}))->has_cache_control);
  EXPECT_FALSE(read_response(*write_response({200, {}, {&cache, 1}, ""}))->has_cache_control);
}

TEST(tombstone, comes_back_as_it_went) {
  for (const std::string& location : {""s, "/v1/charges/7"s, std::string(tombstone_location_bytes_max, 'x')}) {
    const shared_bytes bytes = write_tombstone({303, location});
    const auto tombstone = read_tombstone(*bytes);
    ASSERT_TRUE(tombstone);
    EXPECT_EQ(tombstone->status, 303);
    EXPECT_EQ(tombstone->location, location);
  }
}

// Bytes that are on disks somewhere: every later version must read them.
TEST(stored_response, of_version_1_is_these_bytes) {
  const http::field_view one = http::make_field("A", "b");
  const http::field_view other = http::make_field("Date", "d");
  const std::string golden =
      "R\x01\xc9\x00\x06\x00\x00\x00\x09\x00\x00\x00\x02\x00\x00\x00\x00"
      "A: b\r\nDate: d\r\nok"
      "\x80\xbf=lK\xa4\xb9&"s;
  EXPECT_EQ(*write_response({201, {&one, 1}, {&other, 1}, "ok"}), golden);
  ASSERT_TRUE(read_response(golden));
}

TEST(tombstone, of_version_1_is_these_bytes) {
  const std::string golden =
      "T\x01\xc9\x00\x02\x00/7"
      "\xb0\t=\xb4\xedz\x0e"
      "n"s;
  EXPECT_EQ(*write_tombstone({201, "/7"}), golden);
  ASSERT_TRUE(read_tombstone(golden));
}

TEST(stored_bytes, are_refused_when_any_bit_is_wrong) {
  const std::string response = *write_response({201, kept, renamed, "body"});
  for (std::size_t bit = 0; bit < response.size() * 8; ++bit) {
    std::string damaged = response;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(read_response(damaged)) << bit;
  }
  const std::string tombstone = *write_tombstone({201, "/7"});
  for (std::size_t bit = 0; bit < tombstone.size() * 8; ++bit) {
    std::string damaged = tombstone;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(read_tombstone(damaged)) << bit;
  }
}

TEST(stored_bytes, are_refused_when_cut_or_lengthened) {
  for (const shared_bytes& whole : {write_response({201, kept, renamed, "body"}), write_tombstone({201, "/7"})}) {
    for (std::size_t length = 0; length < whole->size(); ++length) {
      EXPECT_FALSE(read_response(whole->substr(0, length)));
      EXPECT_FALSE(read_tombstone(whole->substr(0, length)));
    }
    EXPECT_FALSE(read_response(*whole + '\0'));
    EXPECT_FALSE(read_tombstone(*whole + '\0'));
  }
}

TEST(stored_bytes, of_another_kind_or_version_are_told_from_damage) {
  std::string response = *write_response({201, kept, renamed, "body"});
  EXPECT_EQ(read_tombstone(response).error(), errc::version);
  EXPECT_EQ(read_response(*write_tombstone({201, ""})).error(), errc::version);
  response[1] = 2;
  EXPECT_EQ(read_response(response).error(), errc::version);
  EXPECT_EQ(read_response("").error(), errc::corrupt);
  EXPECT_EQ(read_response("R\x01").error(), errc::corrupt);
}

TEST(stored_bytes, that_contradict_themselves_are_corrupt_though_sealed) {
  const auto response = [](std::uint8_t status_low, std::uint8_t fields, std::uint8_t flags, std::string_view rest) {
    std::string bytes = "R\x01"s;
    bytes += static_cast<char>(status_low);
    bytes += '\0';
    bytes += static_cast<char>(fields);
    bytes += "\0\0\0\0\0\0\0\0\0\0\0"s;
    bytes += static_cast<char>(flags);
    return seal(bytes.append(rest));
  };
  EXPECT_TRUE(read_response(response(200, 6, 0, "A: b\r\n")));
  EXPECT_EQ(read_response(response(99, 6, 0, "A: b\r\n")).error(), errc::corrupt);
  EXPECT_EQ(read_response(response(200, 7, 0, "A: b\r\n")).error(), errc::corrupt);
  EXPECT_EQ(read_response(response(200, 5, 0, "A: b\r\n")).error(), errc::corrupt);
  EXPECT_EQ(read_response(response(200, 6, 2, "A: b\r\n")).error(), errc::version) << "a flag of the future";
  EXPECT_EQ(read_tombstone(seal("T\x01\xc8\x00\x03\x00/7"s)).error(), errc::corrupt);
}

TEST(field_lines, end_at_what_is_no_line) {
  EXPECT_EQ(fields_of("").size(), 0u);
  EXPECT_EQ(fields_of("A: b\r\nC: d: e\r\n").size(), 2u);
  EXPECT_EQ(fields_of("A: b\r\nC: d: e\r\n")[1].second, "d: e");
  for (const char* wrong : {"A: b", "A:b\r\n", ": b\r\n", "\r\n", "A\r\n: b\r\n"})
    EXPECT_EQ(fields_of(wrong).size(), 0u) << wrong;
}

}  // namespace
}  // namespace onceward::core
