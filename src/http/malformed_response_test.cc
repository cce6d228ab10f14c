// The published table of malformed and risky messages for responses: its row 42, and the rows on framing, lines and
// fields that hold in both directions. A name begins with the number of its row.

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "http/named_cases_test.h"
#include "http/transcript_test.h"

namespace onceward::http {

using namespace std::string_view_literals;

namespace {

struct refused_case {
  const char* name;
  std::string_view input;
  parse_error error;
  method_id request_method = method_id::post;
};

struct read_case {
  const char* name;
  std::string_view input;
  std::string_view reading;
  method_id request_method = method_id::post;
};

using e = parse_error;

constexpr refused_case refused[] = {
    {"row_04_two_spaces", "HTTP/1.1  200 OK\r\n\r\n"sv, e::status_line_malformed},
    {"row_04_tab", "HTTP/1.1\t200 OK\r\n\r\n"sv, e::status_line_malformed},
    {"row_04_lower_case_http", "http/1.1 200 OK\r\n\r\n"sv, e::status_line_malformed},
    {"row_04_minor_2", "HTTP/1.2 200 OK\r\n\r\n"sv, e::version_malformed},
    {"row_04_major_2", "HTTP/2.0 200 OK\r\n\r\n"sv, e::version_unsupported},
    {"row_04_minor_of_two_digits", "HTTP/1.10 200 OK\r\n\r\n"sv, e::status_line_malformed},
    {"row_06_empty_line", "\r\nHTTP/1.1 200 OK\r\n\r\n"sv, e::empty_line_before_message},
    {"row_07_status_line", "HTTP/1.1 200 OK\nX: y\r\n\r\n"sv, e::bare_line_feed},
    {"row_07_field_line", "HTTP/1.1 200 OK\r\nX: y\nContent-Length: 0\r\n\r\n"sv, e::bare_line_feed},
    {"row_07_end_of_head", "HTTP/1.1 200 OK\r\nX: y\r\n\n"sv, e::bare_line_feed},
    {"row_08_in_reason", "HTTP/1.1 200 O\rK\r\n\r\n"sv, e::bare_carriage_return},
    {"row_08_in_value", "HTTP/1.1 200 OK\r\nX: y\rz\r\n\r\n"sv, e::bare_carriage_return},
    {"row_09_space_before_first_field", "HTTP/1.1 200 OK\r\n X: y\r\n\r\n"sv, e::folded_line},
    {"row_10_fold", "HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n"sv, e::folded_line},
    {"row_11_empty_name", "HTTP/1.1 200 OK\r\n: y\r\n\r\n"sv, e::field_malformed},
    {"row_11_space_in_name", "HTTP/1.1 200 OK\r\nX Y: y\r\n\r\n"sv, e::field_malformed},
    {"row_11_space_in_and_behind_name", "HTTP/1.1 200 OK\r\nX Y : y\r\n\r\n"sv, e::field_malformed},
    {"row_11_no_colon", "HTTP/1.1 200 OK\r\nX\r\n\r\n"sv, e::field_malformed},
    {"row_12_nul", "HTTP/1.1 200 OK\r\nX: \0\r\n\r\n"sv, e::control_character},
    {"row_12_nul_in_reason", "HTTP/1.1 200 \0\r\n\r\n"sv, e::control_character},
    {"row_14_length_and_coding",
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv,
     e::transfer_encoding_and_content_length},
    {"row_14_coding_and_length",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"sv,
     e::transfer_encoding_and_content_length},
    {"row_15_two_lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"sv,
     e::content_length_repeated},
    {"row_16_two_equal_lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello"sv,
     e::content_length_repeated},
    {"row_16_two_equal_lengths_after_head", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"sv,
     e::content_length_repeated, method_id::head},
    {"row_17_sign", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello"sv, e::content_length_malformed},
    {"row_18_gzip", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"sv, e::transfer_encoding_malformed},
    {"row_18_gzip_chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"sv,
     e::transfer_encoding_unsupported},
    {"row_19_chunked_twice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n"sv,
     e::transfer_encoding_malformed},
    {"row_20_coding_in_http_1_0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv,
     e::transfer_encoding_in_http_1_0},
    {"row_42_status_of_two_digits", "HTTP/1.1 20 OK\r\n\r\n"sv, e::status_line_malformed},
    {"row_42_status_of_four_digits", "HTTP/1.1 2000 OK\r\n\r\n"sv, e::status_line_malformed},
    {"row_42_status_with_letter", "HTTP/1.1 2OO OK\r\n\r\n"sv, e::status_invalid},
    {"row_42_status_with_sign", "HTTP/1.1 +20 OK\r\n\r\n"sv, e::status_invalid},
    {"row_42_status_000", "HTTP/1.1 000 OK\r\n\r\n"sv, e::status_invalid},
    {"row_42_status_099", "HTTP/1.1 099 OK\r\n\r\n"sv, e::status_invalid},
    {"row_42_status_600", "HTTP/1.1 600 OK\r\n\r\n"sv, e::status_invalid},
    {"row_42_no_status", "HTTP/1.1\r\n\r\n"sv, e::status_line_malformed},
    {"row_42_no_space_behind_status", "HTTP/1.1 200\r\n\r\n"sv, e::status_line_malformed},
    {"row_42_another_protocol", "SSH-2.0-OpenSSH_9.2\r\n"sv, e::status_line_malformed},
    {"row_42_204_with_length", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"sv, e::body_not_allowed},
    {"row_42_204_chunked", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv,
     e::body_not_allowed},
    {"row_42_100_with_length", "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhello"sv, e::body_not_allowed},
    {"row_42_101_chunked", "HTTP/1.1 101 Switching Protocols\r\nTransfer-Encoding: chunked\r\n\r\n"sv,
     e::body_not_allowed},
};

constexpr read_case read[] = {
    {"row_11_space_before_colon_is_stripped",
     "HTTP/1.1 200 OK\r\nX \t : y : z\r\nContent-Length\t: 2\r\nZ: 1\r\n\r\nhi"sv,
     "200 OK minor=1 framing=length:2 declares=2 keep-alive\n"
     "  X: y\\x20:\\x20z\n"
     "  Content-Length: 2\n"
     "  Z: 1\n"
     "  body hi\n"
     "end\n"},
    {"row_11_colon_in_reason", "HTTP/1.1 200 a : b\r\nX : y\r\nContent-Length: 0\r\n\r\n"sv,
     "200 a\\x20:\\x20b minor=1 framing=length:0 declares=0 keep-alive\n"
     "  X: y\n"
     "  Content-Length: 0\n"
     "  body \n"
     "end\n"},
    {"row_42_length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"sv,
     "200 OK minor=1 framing=length:5 declares=5 keep-alive\n"
     "  Content-Length: 5\n"
     "  body hello\n"
     "end\n"},
    {"row_42_chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n"sv,
     "200 OK minor=1 framing=chunked keep-alive\n"
     "  Transfer-Encoding: chunked\n"
     "  body hello\n"
     "end\n"},
    {"row_42_until_close", "HTTP/1.1 200 OK\r\nX: y\r\n\r\nhello\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"sv,
     "200 OK minor=1 framing=until-close\n"
     "  X: y\n"
     "  body hello\\x0d\\x0a\\x0d\\x0aHTTP/1.1\\x20200\\x20OK\\x0d\\x0a\\x0d\\x0a\n"
     "end\n"},
    {"row_42_extra_bytes", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n\r\n"sv,
     "200 OK minor=1 framing=length:5 declares=5 keep-alive\n"
     "  Content-Length: 5\n"
     "  body hello\n"
     "extra 19\n"},
    {"row_42_body_after_head", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"sv,
     "200 OK minor=1 framing=none declares=5 keep-alive\n"
     "  Content-Length: 5\n"
     "  body \n"
     "extra 5\n",
     method_id::head},
    {"row_42_chunked_after_head", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"sv,
     "200 OK minor=1 framing=none keep-alive\n"
     "  Transfer-Encoding: chunked\n"
     "  body \n"
     "end\n",
     method_id::head},
    {"row_42_no_framing_after_head", "HTTP/1.1 200 OK\r\n\r\n"sv,
     "200 OK minor=1 framing=none keep-alive\n"
     "  body \n"
     "end\n",
     method_id::head},
    {"row_42_204", "HTTP/1.1 204 No Content\r\n\r\n"sv,
     "204 No\\x20Content minor=1 framing=none keep-alive\n"
     "  body \n"
     "end\n"},
    {"row_42_204_with_length_zero", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"sv,
     "204 No\\x20Content minor=1 framing=none declares=0 keep-alive\n"
     "  Content-Length: 0\n"
     "  body \n"
     "end\n"},
    {"row_42_body_behind_204", "HTTP/1.1 204 No Content\r\n\r\nhello"sv,
     "204 No\\x20Content minor=1 framing=none keep-alive\n"
     "  body \n"
     "extra 5\n"},
    {"row_42_304_with_length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello"sv,
     "304 Not\\x20Modified minor=1 framing=none declares=5 keep-alive\n"
     "  Content-Length: 5\n"
     "  body \n"
     "extra 5\n"},
    {"row_42_interim_responses",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: "
     "2\r\n\r\nhi"sv,
     "100 Continue minor=1 framing=none keep-alive\n"
     "  body \n"
     "103 Early\\x20Hints minor=1 framing=none keep-alive\n"
     "  Link: x\n"
     "  body \n"
     "201 Created minor=1 framing=length:2 declares=2 keep-alive\n"
     "  Content-Length: 2\n"
     "  body hi\n"
     "end\n"},
    {"row_42_101_is_the_last",
     "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nnot http"sv,
     "101 Switching\\x20Protocols minor=1 framing=none\n"
     "  Connection: upgrade\n"
     "  Upgrade: x\n"
     "  body \n"
     "extra 8\n"},
    {"row_42_http_1_0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"sv,
     "200 OK minor=0 framing=length:2 declares=2\n"
     "  Content-Length: 2\n"
     "  body hi\n"
     "end\n"},
    {"row_42_http_1_0_keep_alive", "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi"sv,
     "200 OK minor=0 framing=length:2 declares=2 keep-alive\n"
     "  Connection: Keep-Alive\n"
     "  Content-Length: 2\n"
     "  body hi\n"
     "end\n"},
    {"row_42_http_1_0_keep_alive_until_close", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nhi"sv,
     "200 OK minor=0 framing=until-close\n"
     "  Connection: keep-alive\n"
     "  body hi\n"
     "end\n"},
    {"row_42_close", "HTTP/1.1 200 OK\r\nConnection: keep-alive, close\r\nContent-Length: 0\r\n\r\n"sv,
     "200 OK minor=1 framing=length:0 declares=0\n"
     "  Connection: keep-alive,\\x20close\n"
     "  Content-Length: 0\n"
     "  body \n"
     "end\n"},
    {"row_42_truncated_head", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"sv, "incomplete\n"},
    {"row_42_truncated_body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"sv,
     "200 OK minor=1 framing=length:5 declares=5 keep-alive\n"
     "  Content-Length: 5\n"
     "body_truncated\n"},
    {"row_42_truncated_chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"sv,
     "200 OK minor=1 framing=chunked keep-alive\n"
     "  Transfer-Encoding: chunked\n"
     "body_truncated\n"},
    {"row_42_empty_reason", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"sv,
     "200  minor=1 framing=length:0 declares=0 keep-alive\n"
     "  Content-Length: 0\n"
     "  body \n"
     "end\n"},
    {"row_42_reason_with_obs_text", "HTTP/1.1 599 \xe4 b\r\nContent-Length: 0\r\n\r\n"sv,
     "599 \\xe4\\x20b minor=1 framing=length:0 declares=0 keep-alive\n"
     "  Content-Length: 0\n"
     "  body \n"
     "end\n"},
    {"row_42_underscores_are_kept", "HTTP/1.1 200 OK\r\nX_Y: z\r\nContent-Length: 0\r\n\r\n"sv,
     "200 OK minor=1 framing=length:0 declares=0 keep-alive\n"
     "  X_Y: z\n"
     "  Content-Length: 0\n"
     "  body \n"
     "end\n"},
};

class refused_response : public testing::TestWithParam<refused_case> {};

TEST_P(refused_response, is_refused_however_it_is_cut) {
  const transcript::response_options options{.request_method = GetParam().request_method};
  EXPECT_EQ(transcript::response_in_every_cut(GetParam().input, options),
            std::string(name_of(GetParam().error)) + '\n');
}

TEST_P(refused_response, is_refused_behind_an_interim_response) {
  const std::string bytes = "HTTP/1.1 100 Continue\r\n\r\n" + std::string(GetParam().input);
  const transcript::response_options options{.request_method = GetParam().request_method};
  EXPECT_EQ(transcript::response_in_every_cut(bytes, options),
            "100 Continue minor=1 framing=none keep-alive\n  body \n" + std::string(name_of(GetParam().error)) + '\n');
}

INSTANTIATE_TEST_SUITE_P(malformed_messages, refused_response, testing::ValuesIn(refused), name_of_case<refused_case>);

class risky_response : public testing::TestWithParam<read_case> {};

TEST_P(risky_response, is_read_one_way_however_it_is_cut) {
  const transcript::response_options options{.request_method = GetParam().request_method};
  EXPECT_EQ(transcript::response_in_every_cut(GetParam().input, options), GetParam().reading);
}

INSTANTIATE_TEST_SUITE_P(malformed_messages, risky_response, testing::ValuesIn(read), name_of_case<read_case>);

TEST(interim_responses, are_limited_in_number) {
  const transcript::response_options options{.head = {.interim_responses_max = 3}, .request_method = method_id::post};
  const std::string interim = "HTTP/1.1 102 Processing\r\n\r\n";
  const std::string final_response = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  const std::string three = interim + interim + interim;
  EXPECT_TRUE(transcript::response_in_every_cut(three + final_response, options).ends_with("end\n"));
  EXPECT_TRUE(transcript::response_in_every_cut(three + interim + final_response, options)
                  .ends_with("too_many_interim_responses\n"));
}

}  // namespace

}  // namespace onceward::http
