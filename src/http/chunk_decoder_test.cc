// The rows of the published table on the chunked coding, and its limits, each body cut at every position.

#include "http/chunk_decoder.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "http/named_cases_test.h"
#include "http/transcript_test.h"

namespace onceward::http {

using namespace std::string_view_literals;

namespace {

// The data of one chunked body, then `>` and how many bytes were left behind it, `...` if it did not end, or the error.
std::string decode(std::string_view bytes, const transcript::piece_sizes& pieces, const body_limits& limits) {
  chunk_decoder decoder(limits);
  std::string data;
  bool done = false;
  for (std::size_t i = 0; !bytes.empty() && !done; ++i) {
    const std::size_t size = pieces.empty() ? bytes.size() : pieces[std::min(i, pieces.size() - 1)];
    std::string piece(bytes.substr(0, size));
    while (!piece.empty() && !done) {
      const auto step = decoder.consume(piece);
      if (const auto* error = std::get_if<parse_error>(&step)) return std::string(name_of(*error));
      const auto& progress = std::get<body_progress>(step);
      EXPECT_GT(progress.consumed, 0U);
      data += progress.data;
      done = progress.done;
      bytes.remove_prefix(progress.consumed);
      piece.erase(0, progress.consumed);
    }
  }
  return data + (done ? ">" + std::to_string(bytes.size()) : "...");
}

std::string decode_in_every_cut(std::string_view bytes, const body_limits& limits = {}) {
  return transcript::in_every_cut(bytes,
                                  [&](const transcript::piece_sizes& pieces) { return decode(bytes, pieces, limits); });
}

struct body_case {
  const char* name;
  std::string_view input;
  std::string_view result;
};

constexpr body_case bodies[] = {
    {"row_21_empty", "\r\n"sv, "chunk_size_malformed"},
    {"row_21_hexadecimal_prefix", "0x5\r\nhello\r\n0\r\n\r\n"sv, "chunk_size_malformed"},
    {"row_21_plus", "+5\r\nhello\r\n0\r\n\r\n"sv, "chunk_size_malformed"},
    {"row_21_minus", "-5\r\nhello\r\n0\r\n\r\n"sv, "chunk_size_malformed"},
    {"row_21_underscore", "5_0\r\nhello\r\n0\r\n\r\n"sv, "chunk_size_malformed"},
    {"row_21_space_before", " 5\r\nhello\r\n0\r\n\r\n"sv, "chunk_size_malformed"},
    {"row_21_tab_before", "\t5\r\nhello\r\n0\r\n\r\n"sv, "chunk_size_malformed"},
    {"row_21_space_behind", "5 \r\nhello\r\n0\r\n\r\n"sv, "chunk_extension_malformed"},
    {"row_21_tab_behind", "5\t\r\nhello\r\n0\r\n\r\n"sv, "chunk_extension_malformed"},
    {"row_21_two_numbers", "5 5\r\nhello\r\n0\r\n\r\n"sv, "chunk_extension_malformed"},
    {"row_21_not_a_digit", "g\r\nhello\r\n0\r\n\r\n"sv, "chunk_size_malformed"},
    {"row_21_nul_behind", "5\0\r\nhello\r\n0\r\n\r\n"sv, "chunk_size_malformed"},
    {"row_21_sixteen_digits", "0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n"sv, "hello>0"},
    {"row_21_seventeen_digits", "00000000000000005\r\nhello\r\n0\r\n\r\n"sv, "chunk_size_malformed"},
    {"row_21_seventeen_digits_of_a_large_number", "10000000000000005\r\nhello\r\n0\r\n\r\n"sv, "chunk_size_malformed"},
    {"row_21_largest_number", "ffffffffffffffff\r\nhello"sv, "hello..."},
    {"row_22_extension", "5;a\r\nhello\r\n0;b=c;d=\"e\\\"f\"\r\n\r\n"sv, "hello>0"},
    {"row_22_white_space", "5 \t; a \t= b\t;c ; d=\"e\" ;f\r\nhello\r\n0\r\n\r\n"sv, "hello>0"},
    {"row_22_quoted_line_end", "5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n"sv, "chunk_extension_malformed"},
    {"row_22_quoted_semicolon", "5;a=\";\x80\"\r\nhello\r\n0\r\n\r\n"sv, "hello>0"},
    {"row_22_no_name", "5;\r\nhello\r\n0\r\n\r\n"sv, "chunk_extension_malformed"},
    {"row_22_no_name_but_value", "5;=a\r\nhello\r\n0\r\n\r\n"sv, "chunk_extension_malformed"},
    {"row_22_two_semicolons", "5;;a\r\nhello\r\n0\r\n\r\n"sv, "chunk_extension_malformed"},
    {"row_22_no_value", "5;a=\r\nhello\r\n0\r\n\r\n"sv, "chunk_extension_malformed"},
    {"row_22_space_at_the_end", "5;a \r\nhello\r\n0\r\n\r\n"sv, "chunk_extension_malformed"},
    {"row_22_space_at_the_end_behind_a_value", "5;a=\"b\" \r\nhello\r\n0\r\n\r\n"sv, "chunk_extension_malformed"},
    {"row_22_open_quote", "5;a=\"b\r\nhello\r\n0\r\n\r\n"sv, "chunk_extension_malformed"},
    {"row_22_text_behind_quote", "5;a=\"b\"c\r\nhello\r\n0\r\n\r\n"sv, "chunk_extension_malformed"},
    {"row_22_not_a_token", "5;a@b\r\nhello\r\n0\r\n\r\n"sv, "chunk_extension_malformed"},
    {"row_22_nul_in_quotes", "5;a=\"\0\"\r\nhello\r\n0\r\n\r\n"sv, "chunk_extension_malformed"},
    {"row_22_escaped_control", "5;a=\"\\\r\"\r\nhello\r\n0\r\n\r\n"sv, "chunk_extension_malformed"},
    {"row_23_line_feed_behind_size", "5\nhello\r\n0\r\n\r\n"sv, "chunk_line_malformed"},
    {"row_23_carriage_return_behind_size", "5\rhello\r\n0\r\n\r\n"sv, "chunk_line_malformed"},
    {"row_23_line_feed_behind_extension", "5;a\nhello\r\n0\r\n\r\n"sv, "chunk_line_malformed"},
    {"row_23_line_feed_behind_quoted_extension", "5;a=\"b\"\nhello\r\n0\r\n\r\n"sv, "chunk_line_malformed"},
    {"row_23_carriage_return_behind_extension", "5;a\rhello\r\n0\r\n\r\n"sv, "chunk_line_malformed"},
    {"row_23_line_feed_in_extension", "5;\n\r\nhello\r\n0\r\n\r\n"sv, "chunk_extension_malformed"},
    {"row_23_carriage_return_in_extension", "5;a=\r;b\r\nhello\r\n0\r\n\r\n"sv, "chunk_extension_malformed"},
    {"row_23_two_carriage_returns", "5\r\r\nhello\r\n0\r\n\r\n"sv, "chunk_line_malformed"},
    {"row_23_spill", "5\r\nhelloX\r\n0\r\n\r\n"sv, "chunk_data_malformed"},
    {"row_23_spill_that_looks_like_a_chunk", "5\r\nhello0\r\n\r\n"sv, "chunk_data_malformed"},
    {"row_23_no_line_end_behind_data", "5\r\nhello5\r\nhello\r\n0\r\n\r\n"sv, "chunk_data_malformed"},
    {"row_23_line_feed_behind_data", "5\r\nhello\n0\r\n\r\n"sv, "chunk_data_malformed"},
    {"row_23_carriage_return_behind_data", "5\r\nhello\r0\r\n\r\n"sv, "chunk_data_malformed"},
    {"row_23_two_line_ends_behind_data", "5\r\nhello\r\n\r\n0\r\n\r\n"sv, "chunk_size_malformed"},
    {"row_23_bytes_behind_the_last_chunk", "0\r\nX\r\n\r\n"sv, "trailer_malformed"},
    {"row_23_a_request_behind_the_last_chunk", "0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, "trailer_malformed"},
    {"row_23_line_feed_at_the_end", "0\r\n\n"sv, "trailer_malformed"},
    {"row_23_carriage_return_at_the_end", "0\r\n\rX"sv, "chunk_line_malformed"},
    {"row_23_line_feeds_only", "0\n\n"sv, "chunk_line_malformed"},
    {"row_24_trailers",
     "2\r\nhi\r\n0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: b\r\nAuthorization: x\r\nContent-Type: "
     "y\r\nIdempotency-Key: \"k\"\r\n\r\nhello"sv,
     "hi>5"},
    {"row_24_empty_value", "0\r\nA:\r\nB: \t \xff\r\n\r\n"sv, ">0"},
    {"row_24_fold", "0\r\nA: b\r\n c\r\n\r\n"sv, "trailer_malformed"},
    {"row_24_space_before_colon", "0\r\nA : b\r\n\r\n"sv, "trailer_malformed"},
    {"row_24_empty_name", "0\r\n: b\r\n\r\n"sv, "trailer_malformed"},
    {"row_24_line_feed", "0\r\nA: b\n\r\n"sv, "trailer_malformed"},
    {"row_24_carriage_return", "0\r\nA: b\rc\r\n\r\n"sv, "trailer_malformed"},
    {"row_24_nul", "0\r\nA: \0\r\n\r\n"sv, "trailer_malformed"},
    {"row_27_no_end", "5\r\nhello\r\n0\r\n"sv, "hello..."},
    {"row_28_the_next_message_is_not_touched", "5\r\nhello\r\n0\r\n\r\n0\r\n\r\n"sv, "hello>5"},
    {"several_chunks_in_either_case", "a\r\n0123456789\r\nA\r\n0123456789\r\n01\r\nx\r\n0\r\n\r\n"sv,
     "01234567890123456789x>0"},
    {"data_that_looks_like_framing", "7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n"sv, "0\r\n\r\n\r\n>0"},
};

class chunked_body : public testing::TestWithParam<body_case> {};

TEST_P(chunked_body, is_read_one_way_however_it_is_cut) {
  EXPECT_EQ(decode_in_every_cut(GetParam().input), GetParam().result);
}

INSTANTIATE_TEST_SUITE_P(malformed_messages, chunked_body, testing::ValuesIn(bodies), name_of_case<body_case>);

TEST(chunk_decoder, refuses_a_body_one_byte_over_its_limit_before_the_data) {
  const body_limits limits{.body_bytes_max = 5};
  EXPECT_EQ(decode_in_every_cut("5\r\nhello\r\n0\r\n\r\n", limits), "hello>0");
  EXPECT_EQ(decode_in_every_cut("2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", limits), "hello>0");
  EXPECT_EQ(decode_in_every_cut("6\r\nhello", limits), "body_too_large");
  EXPECT_EQ(decode_in_every_cut("2\r\nhe\r\n4\r\nllo", limits), "body_too_large");
}

TEST(chunk_decoder, does_not_overflow_when_sizes_add_up_to_more_than_a_number_holds) {
  const body_limits limits{.body_bytes_max = UINT64_MAX - 1};
  EXPECT_EQ(decode_in_every_cut("1\r\nx\r\nfffffffffffffffd\r\ny", limits), "xy...");
  EXPECT_EQ(decode_in_every_cut("1\r\nx\r\nfffffffffffffffe\r\ny", limits), "body_too_large");
  EXPECT_EQ(decode_in_every_cut("1\r\nx\r\nffffffffffffffff\r\ny", limits), "body_too_large");
  EXPECT_EQ(decode_in_every_cut("1\r\nx\r\nffffffffffffffff\r\ny"), "body_too_large");
}

TEST(chunk_decoder, limits_one_chunk_line) {
  const body_limits limits{.chunk_line_bytes_max = 8};
  EXPECT_EQ(decode_in_every_cut("2;aaaaaa\r\nhi\r\n2;bbbbbb\r\nhi\r\n0\r\n\r\n", limits), "hihi>0");
  EXPECT_EQ(decode_in_every_cut("2;aaaaaaa\r\nhi\r\n0\r\n\r\n", limits), "chunk_line_too_long");
  EXPECT_EQ(decode_in_every_cut("000000002\r\nhi\r\n0\r\n\r\n", limits), "chunk_line_too_long");
}

TEST(chunk_decoder, limits_all_extensions_of_a_body_together) {
  const body_limits limits{.chunk_extension_bytes_max = 6};
  EXPECT_EQ(decode_in_every_cut("2;aa\r\nhi\r\n0;bb\r\n\r\n", limits), "hi>0");
  EXPECT_EQ(decode_in_every_cut("2;aa\r\nhi\r\n0;bbb\r\n\r\n", limits), "chunk_extensions_too_large");
}

TEST(chunk_decoder, limits_the_trailers_in_bytes) {
  const body_limits limits{.trailer_bytes_max = 12};
  EXPECT_EQ(decode_in_every_cut("0\r\nA: b\r\nC: d\r\n\r\n", limits), ">0");
  EXPECT_EQ(decode_in_every_cut("0\r\nA: b\r\nC: dd\r\n\r\n", limits), "trailers_too_large");
}

TEST(chunk_decoder, limits_the_trailers_in_number) {
  const body_limits limits{.trailers_max = 2};
  EXPECT_EQ(decode_in_every_cut("0\r\nA: b\r\nC: d\r\n\r\n", limits), ">0");
  EXPECT_EQ(decode_in_every_cut("0\r\nA: b\r\nC: d\r\nE:\r\n\r\n", limits), "trailers_too_large");
}

TEST(chunk_decoder, gives_data_as_views_of_the_input) {
  const std::string input = "5\r\nhello\r\n0\r\n\r\n";
  chunk_decoder decoder;
  const auto step = decoder.consume(input);
  const auto& progress = std::get<body_progress>(step);
  EXPECT_EQ(progress.data.data(), input.data() + 3);
  EXPECT_EQ(progress.data, "hello");
}

}  // namespace

}  // namespace onceward::http
