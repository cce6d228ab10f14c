// The published table of malformed and risky messages, row by row, for requests. A name begins with the number of its
// row.

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
};

struct read_case {
  const char* name;
  std::string_view input;
  std::string_view reading;
};

using e = parse_error;

constexpr refused_case refused[] = {
    {"row_01_no_host", "GET / HTTP/1.1\r\n\r\n"sv, e::host_missing},
    {"row_01_two_equal_hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"sv, e::host_repeated},
    {"row_01_two_different_hosts", "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n"sv, e::host_repeated},
    {"row_01_two_hosts_in_http_1_0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"sv, e::host_repeated},
    {"row_01_host_list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"sv, e::host_malformed},
    {"row_01_host_list_without_space", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"sv, e::host_malformed},
    {"row_01_host_with_user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"sv, e::host_malformed},
    {"row_01_host_with_user_and_password", "GET / HTTP/1.1\r\nHost: u:p@a\r\n\r\n"sv, e::host_malformed},
    {"row_01_host_with_path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"sv, e::host_malformed},
    {"row_01_host_with_query", "GET / HTTP/1.1\r\nHost: a?b\r\n\r\n"sv, e::host_malformed},
    {"row_01_host_with_space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"sv, e::host_malformed},
    {"row_01_host_with_tab", "GET / HTTP/1.1\r\nHost: a\tb\r\n\r\n"sv, e::host_malformed},
    {"row_01_empty_host", "GET / HTTP/1.1\r\nHost:\r\n\r\n"sv, e::host_malformed},
    {"row_01_port_alone", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n"sv, e::host_malformed},
    {"row_01_port_not_a_number", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n"sv, e::host_malformed},
    {"row_01_port_too_large", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"sv, e::host_malformed},
    {"row_01_two_ports", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n"sv, e::host_malformed},
    {"row_01_open_bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"sv, e::host_malformed},
    {"row_01_text_after_bracket", "GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n"sv, e::host_malformed},
    {"row_01_malformed_encoding", "GET / HTTP/1.1\r\nHost: a%2\r\n\r\n"sv, e::host_malformed},
    {"row_02_absolute_form_without_host", "GET http://a/ HTTP/1.1\r\n\r\n"sv, e::host_missing},
    {"row_02_absolute_form_with_malformed_host", "GET http://a/ HTTP/1.1\r\nHost: b, c\r\n\r\n"sv, e::host_malformed},
    {"row_02_absolute_form_with_user", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::target_malformed},
    {"row_02_absolute_form_without_authority", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::target_malformed},
    {"row_02_absolute_form_of_another_scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::target_malformed},
    {"row_02_absolute_form_with_backslash", "GET http:\\\\a/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::target_malformed},
    {"row_03_asterisk_outside_options", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::target_malformed},
    {"row_03_authority_form_outside_connect", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::target_malformed},
    {"row_03_connect_in_origin_form", "CONNECT /x HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::target_malformed},
    {"row_03_connect_without_port", "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::target_malformed},
    {"row_03_fragment", "GET /x#y HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::target_malformed},
    {"row_03_no_leading_slash", "GET x HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::target_malformed},
    {"row_03_no_leading_slash_but_later", "GET x/y HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::target_malformed},
    {"row_03_raw_space", "GET /x y HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::request_line_malformed},
    {"row_03_tab", "GET /x\ty HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::target_malformed},
    {"row_03_nul", "GET /x\0y HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::control_character},
    {"row_03_del", "GET /x\x7fy HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::control_character},
    {"row_03_utf8", "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::target_malformed},
    {"row_03_latin1", "GET /\xe4 HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::target_malformed},
    {"row_04_two_spaces_before_target", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::request_line_malformed},
    {"row_04_two_spaces_before_version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::request_line_malformed},
    {"row_04_space_after_version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"sv, e::request_line_malformed},
    {"row_04_tab_before_target", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::request_line_malformed},
    {"row_04_tab_before_version", "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n"sv, e::request_line_malformed},
    {"row_04_vertical_tab", "GET\v/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::control_character},
    {"row_04_form_feed", "GET /\fHTTP/1.1\r\nHost: a\r\n\r\n"sv, e::control_character},
    {"row_04_carriage_return", "GET\r/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::bare_carriage_return},
    {"row_04_lower_case_http", "GET / http/1.1\r\nHost: a\r\n\r\n"sv, e::version_malformed},
    {"row_04_mixed_case_http", "GET / Http/1.1\r\nHost: a\r\n\r\n"sv, e::version_malformed},
    {"row_04_minor_of_two_digits", "GET / HTTP/1.32\r\nHost: a\r\n\r\n"sv, e::version_malformed},
    {"row_04_major_of_two_digits", "GET / HTTP/01.1\r\nHost: a\r\n\r\n"sv, e::version_malformed},
    {"row_04_no_minor", "GET / HTTP/1\r\nHost: a\r\n\r\n"sv, e::version_malformed},
    {"row_04_minor_without_digit", "GET / HTTP/1.\r\nHost: a\r\n\r\n"sv, e::version_malformed},
    {"row_04_minor_of_another_letter", "GET / HTTP/1.x\r\nHost: a\r\n\r\n"sv, e::version_malformed},
    {"row_04_minor_2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n"sv, e::version_malformed},
    {"row_04_other_protocol", "GET / RTSP/1.0\r\nHost: a\r\n\r\n"sv, e::version_malformed},
    {"row_04_major_2", "GET / HTTP/2.0\r\nHost: a\r\n\r\n"sv, e::version_unsupported},
    {"row_04_major_0", "GET / HTTP/0.9\r\nHost: a\r\n\r\n"sv, e::version_unsupported},
    {"row_04_major_3", "GET / HTTP/3.0\r\nHost: a\r\n\r\n"sv, e::version_unsupported},
    {"row_04_space_before_method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::method_malformed},
    {"row_05_simple_request", "GET /\r\n"sv, e::request_line_malformed},
    {"row_05_simple_request_with_fields", "GET /\r\nHost: a\r\n\r\n"sv, e::request_line_malformed},
    {"row_05_method_alone", "GET\r\n\r\n"sv, e::request_line_malformed},
    {"row_06_two_empty_lines", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::empty_line_before_message},
    {"row_06_bare_line_feed", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::bare_line_feed},
    {"row_06_bare_carriage_return", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::bare_carriage_return},
    {"row_07_request_line", "GET / HTTP/1.1\nHost: a\r\n\r\n"sv, e::bare_line_feed},
    {"row_07_field_line", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"sv, e::bare_line_feed},
    {"row_07_last_field_line", "GET / HTTP/1.1\r\nHost: a\n\r\n"sv, e::bare_line_feed},
    {"row_07_end_of_head", "GET / HTTP/1.1\r\nHost: a\r\n\n"sv, e::bare_line_feed},
    {"row_07_everywhere", "GET / HTTP/1.1\nHost: a\n\n"sv, e::bare_line_feed},
    {"row_08_in_request_line", "GET /\rx HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::bare_carriage_return},
    {"row_08_in_value", "GET / HTTP/1.1\r\nHost: a\r\nX: y\rz\r\n\r\n"sv, e::bare_carriage_return},
    {"row_08_in_name", "GET / HTTP/1.1\r\nHost: a\r\nX\rY: z\r\n\r\n"sv, e::bare_carriage_return},
    {"row_08_line_end", "GET / HTTP/1.1\rHost: a\r\r"sv, e::bare_carriage_return},
    {"row_08_two_before_line_feed", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"sv, e::bare_carriage_return},
    {"row_08_at_end_of_head", "GET / HTTP/1.1\r\nHost: a\r\n\rX"sv, e::bare_carriage_return},
    {"row_09_space", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"sv, e::folded_line},
    {"row_09_tab", "GET / HTTP/1.1\r\n\tHost: a\r\n\r\n"sv, e::folded_line},
    {"row_09_line_of_spaces", "GET / HTTP/1.1\r\n \r\nHost: a\r\n\r\n"sv, e::folded_line},
    {"row_10_fold_with_space", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n"sv, e::folded_line},
    {"row_10_fold_with_tab", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\tz\r\n\r\n"sv, e::folded_line},
    {"row_10_fold_in_framing", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n"sv,
     e::folded_line},
    {"row_10_fold_to_nothing", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n \r\n\r\n"sv, e::folded_line},
    {"row_11_space_before_colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"sv, e::field_malformed},
    {"row_11_tab_before_colon", "GET / HTTP/1.1\r\nHost\t: a\r\n\r\n"sv, e::field_malformed},
    {"row_11_space_before_colon_in_framing", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello"sv,
     e::field_malformed},
    {"row_11_empty_name", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n"sv, e::field_malformed},
    {"row_11_brackets", "GET / HTTP/1.1\r\nHost: a\r\nX[]: y\r\n\r\n"sv, e::field_malformed},
    {"row_11_parenthesis", "GET / HTTP/1.1\r\nHost: a\r\nX(: y\r\n\r\n"sv, e::field_malformed},
    {"row_11_space_in_name", "GET / HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n"sv, e::field_malformed},
    {"row_11_quote_in_name", "GET / HTTP/1.1\r\nHost: a\r\n\"X\": z\r\n\r\n"sv, e::field_malformed},
    {"row_11_obs_text_in_name", "GET / HTTP/1.1\r\nHost: a\r\nX\x80: y\r\n\r\n"sv, e::field_malformed},
    {"row_11_nul_in_name", "GET / HTTP/1.1\r\nHost: a\r\nX\0: y\r\n\r\n"sv, e::control_character},
    {"row_11_no_colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n"sv, e::field_malformed},
    {"row_11_no_colon_but_space", "GET / HTTP/1.1\r\nHost: a\r\nX y\r\n\r\n"sv, e::field_malformed},
    {"row_12_nul", "GET / HTTP/1.1\r\nHost: a\r\nX: y\0z\r\n\r\n"sv, e::control_character},
    {"row_12_bell", "GET / HTTP/1.1\r\nHost: a\r\nX: y\az\r\n\r\n"sv, e::control_character},
    {"row_12_vertical_tab", "GET / HTTP/1.1\r\nHost: a\r\nX: y\vz\r\n\r\n"sv, e::control_character},
    {"row_12_escape", "GET / HTTP/1.1\r\nHost: a\r\nX: \x1b[0m\r\n\r\n"sv, e::control_character},
    {"row_12_del", "GET / HTTP/1.1\r\nHost: a\r\nX: y\x7f\r\n\r\n"sv, e::control_character},
    {"row_12_nul_after_value", "GET / HTTP/1.1\r\nHost: a\0\r\n\r\n"sv, e::control_character},
    {"row_13_obs_text_in_host", "GET / HTTP/1.1\r\nHost: \xe4\r\n\r\n"sv, e::host_malformed},
    {"row_13_next_line_after_host", "GET / HTTP/1.1\r\nHost: a\x85\r\n\r\n"sv, e::host_malformed},
    {"row_13_no_break_space_before_length",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \xa0"
     "5\r\n\r\nhello"sv,
     e::content_length_malformed},
    {"row_13_next_line_after_length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\x85\r\n\r\nhello"sv,
     e::content_length_malformed},
    {"row_13_next_line_after_coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\x85\r\n\r\n"sv,
     e::transfer_encoding_malformed},
    {"row_14_length_then_coding",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv,
     e::transfer_encoding_and_content_length},
    {"row_14_coding_then_length",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"sv,
     e::transfer_encoding_and_content_length},
    {"row_14_other_coding_and_length",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"sv,
     e::transfer_encoding_and_content_length},
    {"row_15_two_different_lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"sv,
     e::content_length_repeated},
    {"row_15_list_of_different_lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 6\r\n\r\n"sv,
     e::content_length_malformed},
    {"row_16_two_equal_lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello"sv,
     e::content_length_repeated},
    {"row_16_list_of_equal_lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello"sv,
     e::content_length_malformed},
    {"row_17_plus", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello"sv, e::content_length_malformed},
    {"row_17_minus", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\nhello"sv, e::content_length_malformed},
    {"row_17_minus_zero", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -0\r\n\r\n"sv, e::content_length_malformed},
    {"row_17_hexadecimal", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello"sv,
     e::content_length_malformed},
    {"row_17_underscore", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1_0\r\n\r\n"sv, e::content_length_malformed},
    {"row_17_exponent", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1e1\r\n\r\n"sv, e::content_length_malformed},
    {"row_17_two_numbers", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5 5\r\n\r\n"sv, e::content_length_malformed},
    {"row_17_empty", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"sv, e::content_length_malformed},
    {"row_17_comma_behind", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5,\r\n\r\nhello"sv,
     e::content_length_malformed},
    {"row_17_comma_before", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ,5\r\n\r\nhello"sv,
     e::content_length_malformed},
    {"row_17_garbage_behind", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5x\r\n\r\nhello"sv,
     e::content_length_malformed},
    {"row_17_decimal_point", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5.0\r\n\r\nhello"sv,
     e::content_length_malformed},
    {"row_17_twenty_digits", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000000000000000\r\n\r\n"sv,
     e::content_length_malformed},
    {"row_17_twenty_digits_of_a_small_number",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 00000000000000000005\r\n\r\nhello"sv, e::content_length_malformed},
    {"row_17_two_to_the_64", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n"sv,
     e::content_length_malformed},
    {"row_18_chunked_not_last", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n"sv,
     e::transfer_encoding_malformed},
    {"row_18_identity", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"sv,
     e::transfer_encoding_malformed},
    {"row_18_xchunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n"sv,
     e::transfer_encoding_malformed},
    {"row_18_parameter", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;foo\r\n\r\n"sv,
     e::transfer_encoding_malformed},
    {"row_18_comma_before", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,chunked\r\n\r\n"sv,
     e::transfer_encoding_malformed},
    {"row_18_comma_behind", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked,\r\n\r\n"sv,
     e::transfer_encoding_malformed},
    {"row_18_empty", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n"sv, e::transfer_encoding_malformed},
    {"row_18_quoted", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n"sv,
     e::transfer_encoding_malformed},
    {"row_18_space_inside", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chu nked\r\n\r\n"sv,
     e::transfer_encoding_malformed},
    {"row_18_vertical_tab_before", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \vchunked\r\n\r\n"sv,
     e::control_character},
    {"row_18_form_feed_behind", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\f\r\n\r\n"sv,
     e::control_character},
    {"row_18_nul_behind", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\0\r\n\r\n"sv, e::control_character},
    {"row_18_next_line_before",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x85"
     "chunked\r\n\r\n"sv,
     e::transfer_encoding_malformed},
    {"row_18_gzip_before_chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"sv,
     e::transfer_encoding_unsupported},
    {"row_18_unknown_before_chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x;q=1, chunked\r\n\r\n"sv,
     e::transfer_encoding_unsupported},
    {"row_19_two_lines",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"sv,
     e::transfer_encoding_repeated},
    {"row_19_two_lines_of_different_codings",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"sv,
     e::transfer_encoding_repeated},
    {"row_19_chunked_twice", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n"sv,
     e::transfer_encoding_malformed},
    {"row_20_coding_in_http_1_0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv,
     e::transfer_encoding_in_http_1_0},
    {"row_27_length_then_close", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell"sv, e::body_truncated},
    {"row_27_chunked_then_close",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"sv, e::body_truncated},
    {"row_29_list", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue, 100-continue\r\n\r\n"sv,
     e::expectation_malformed},
    {"row_29_two_lines", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nExpect: 100-continue\r\n\r\n"sv,
     e::expectation_malformed},
    {"row_29_empty", "POST / HTTP/1.1\r\nHost: a\r\nExpect:\r\n\r\n"sv, e::expectation_malformed},
    {"row_29_parameter", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue;x\r\n\r\n"sv, e::expectation_malformed},
    {"row_29_value", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue=1\r\n\r\n"sv, e::expectation_malformed},
    {"row_29_text_behind", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continuez\r\n\r\n"sv, e::expectation_malformed},
    {"row_29_space", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100 continue\r\n\r\n"sv, e::expectation_malformed},
    {"row_29_quoted", "POST / HTTP/1.1\r\nHost: a\r\nExpect: \"100-continue\"\r\n\r\n"sv, e::expectation_malformed},
    {"row_29_next_line", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\x85\r\n\r\n"sv, e::expectation_malformed},
    {"row_29_nul", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\0\r\n\r\n"sv, e::control_character},
    {"row_29_folded", "POST / HTTP/1.1\r\nHost: a\r\nExpect:\r\n 100-continue\r\n\r\n"sv, e::folded_line},
    {"row_29_unknown", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n"sv, e::expectation_unsupported},
    {"row_29_unknown_with_value", "POST / HTTP/1.1\r\nHost: a\r\nExpect: x=\"y\"\r\n\r\n"sv,
     e::expectation_unsupported},
    {"row_30_content_length",
     "POST / HTTP/1.1\r\nHost: a\r\nConnection: close, Content-Length\r\nContent-Length: 5\r\n\r\nhello"sv,
     e::connection_names_protected_field},
    {"row_30_transfer_encoding", "POST / HTTP/1.1\r\nHost: a\r\nConnection: transfer-encoding\r\n\r\n"sv,
     e::connection_names_protected_field},
    {"row_30_idempotency_key",
     "POST / HTTP/1.1\r\nHost: a\r\nConnection: Idempotency-Key\r\nIdempotency-Key: k\r\n\r\n"sv,
     e::connection_names_protected_field},
    {"row_30_host", "POST / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: hOST\r\n\r\n"sv,
     e::connection_names_protected_field},
    {"row_30_not_a_token", "POST / HTTP/1.1\r\nHost: a\r\nConnection: close;x\r\n\r\n"sv, e::connection_malformed},
    {"row_30_quoted", "POST / HTTP/1.1\r\nHost: a\r\nConnection: \"close\"\r\n\r\n"sv, e::connection_malformed},
    {"row_33_http2_preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"sv, e::http2_preface},
    {"row_34_method_not_a_token", "GE(T / HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::method_malformed},
    {"row_34_method_with_obs_text", "GET\x80 / HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::method_malformed},
    {"row_34_method_too_long", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\nHost: a\r\n\r\n"sv, e::method_too_long},
};

// Each with everything that the reading must hold, so that no byte of it can be understood in another way.
constexpr read_case read[] = {
    {"row_02_target_authority_wins", "GET http://b.example:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n"sv,
     "GET http://b.example:81/x?y path=/x query=y authority=b.example:81 minor=1 framing=none keep-alive\n"
     "  Host: a\n"
     "  body \n"
     "end\n"},
    {"row_02_absolute_form_without_path", "GET HTTPS://b?y HTTP/1.1\r\nHost: a\r\n\r\n"sv,
     "GET HTTPS://b?y path=/ query=y authority=b minor=1 framing=none keep-alive\n"
     "  Host: a\n"
     "  body \n"
     "end\n"},
    {"row_03_asterisk_with_options", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"sv,
     "OPTIONS * path=* authority=a minor=1 framing=none keep-alive\n"
     "  Host: a\n"
     "  body \n"
     "end\n"},
    {"row_03_options_in_absolute_form_without_path", "OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n"sv,
     "OPTIONS http://b path=* authority=b minor=1 framing=none keep-alive\n"
     "  Host: a\n"
     "  body \n"
     "end\n"},
    {"row_06_one_empty_line", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"sv,
     "GET / path=/ authority=a minor=1 framing=none keep-alive\n"
     "  Host: a\n"
     "  body \n"
     "end\n"},
    {"row_06_empty_line_after_a_body",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n"sv,
     "POST / path=/ authority=a minor=1 framing=length:5 keep-alive\n"
     "  Host: a\n"
     "  Content-Length: 5\n"
     "  body hello\n"
     "GET / path=/ authority=a minor=1 framing=none keep-alive\n"
     "  Host: a\n"
     "  body \n"
     "end\n"},
    {"row_11_underscores_are_dropped",
     "POST / HTTP/1.1\r\nHost: a\r\nContent_Length: 9\r\nX_Y: z\r\nContent-Length: 5\r\nX: y_z\r\n\r\nhello"sv,
     "POST / path=/ authority=a minor=1 framing=length:5 keep-alive\n"
     "  Host: a\n"
     "  Content-Length: 5\n"
     "  X: y_z\n"
     "  body hello\n"
     "end\n"},
    {"row_13_obs_text_is_kept", "GET / HTTP/1.1\r\nHost: a\r\nX: \x85\xa0y\xa0\x85 \t\r\n\r\n"sv,
     "GET / path=/ authority=a minor=1 framing=none keep-alive\n"
     "  Host: a\n"
     "  X: \\x85\\xa0y\\xa0\\x85\n"
     "  body \n"
     "end\n"},
    {"row_17_leading_zeros", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 010\r\n\r\nhellohelloGET"sv,
     "POST / path=/ authority=a minor=1 framing=length:10 keep-alive\n"
     "  Host: a\n"
     "  Content-Length: 010\n"
     "  body hellohello\n"
     "incomplete\n"},
    {"row_18_case_and_space", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \t CHUNKED \r\n\r\n0\r\n\r\n"sv,
     "POST / path=/ authority=a minor=1 framing=chunked keep-alive\n"
     "  Host: a\n"
     "  Transfer-Encoding: CHUNKED\n"
     "  body \n"
     "end\n"},
    {"row_25_body_of_get",
     "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloHEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
     "chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\nDELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nxOPTIONS / "
     "HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nyz"sv,
     "GET / path=/ authority=a minor=1 framing=length:5 keep-alive\n"
     "  Host: a\n"
     "  Content-Length: 5\n"
     "  body hello\n"
     "HEAD / path=/ authority=a minor=1 framing=chunked keep-alive\n"
     "  Host: a\n"
     "  Transfer-Encoding: chunked\n"
     "  body hi\n"
     "DELETE / path=/ authority=a minor=1 framing=length:1 keep-alive\n"
     "  Host: a\n"
     "  Content-Length: 1\n"
     "  body x\n"
     "OPTIONS / path=/ authority=a minor=1 framing=length:2 keep-alive\n"
     "  Host: a\n"
     "  Content-Length: 2\n"
     "  body yz\n"
     "end\n"},
    {"row_26_post_without_framing", "POST / HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n"sv,
     "POST / path=/ authority=a minor=1 framing=none keep-alive\n"
     "  Host: a\n"
     "  body \n"
     "GET /x path=/x authority=a minor=1 framing=none keep-alive\n"
     "  Host: a\n"
     "  body \n"
     "end\n"},
    {"row_26_post_without_framing_then_garbage", "POST / HTTP/1.1\r\nHost: a\r\n\r\n{\"amount\":1}\r\n"sv,
     "POST / path=/ authority=a minor=1 framing=none keep-alive\n"
     "  Host: a\n"
     "  body \n"
     "request_line_malformed\n"},
    {"row_28_nothing_after_an_error",
     "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"sv,
     "GET / path=/ authority=a minor=1 framing=none keep-alive\n"
     "  Host: a\n"
     "  body \n"
     "host_missing\n"},
    {"row_29_in_odd_case", "POST / HTTP/1.1\r\nHost: a\r\nexpect: 100-CONTINUE \r\nContent-Length: 2\r\n\r\nhi"sv,
     "POST / path=/ authority=a minor=1 framing=length:2 keep-alive expects-continue\n"
     "  Host: a\n"
     "  expect: 100-CONTINUE\n"
     "  Content-Length: 2\n"
     "  body hi\n"
     "end\n"},
    {"row_29_ignored_in_http_1_0", "POST / HTTP/1.0\r\nExpect: whatever, 100-continue\r\nContent-Length: 2\r\n\r\nhi"sv,
     "POST / path=/ authority= minor=0 framing=length:2\n"
     "  Expect: whatever,\\x20100-continue\n"
     "  Content-Length: 2\n"
     "  body hi\n"
     "end\n"},
    {"row_30_other_names", "GET / HTTP/1.1\r\nHost: a\r\nConnection: , x-y,,close,\r\nX-Y: z\r\n\r\n"sv,
     "GET / path=/ authority=a minor=1 framing=none names-fields\n"
     "  Host: a\n"
     "  Connection: ,\\x20x-y,,close,\n"
     "  X-Y: z\n"
     "  body \n"
     "end\n"},
    {"row_31_h2c_upgrade_with_body",
     "POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: "
     "AAMA\r\nContent-Length: 2\r\n\r\nhi"sv,
     "POST / path=/ authority=a minor=1 framing=length:2 keep-alive asks-upgrade names-fields\n"
     "  Host: a\n"
     "  Connection: Upgrade,\\x20HTTP2-Settings\n"
     "  Upgrade: h2c\n"
     "  HTTP2-Settings: AAMA\n"
     "  Content-Length: 2\n"
     "  body hi\n"
     "end\n"},
    {"row_31_upgrade_not_named_in_connection", "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n"sv,
     "GET / path=/ authority=a minor=1 framing=none keep-alive\n"
     "  Host: a\n"
     "  Upgrade: websocket\n"
     "  body \n"
     "end\n"},
    {"row_31_upgrade_in_http_1_0", "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"sv,
     "GET / path=/ authority= minor=0 framing=none\n"
     "  Connection: upgrade\n"
     "  Upgrade: websocket\n"
     "  body \n"
     "end\n"},
    {"row_32_connect", "CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n"sv,
     "CONNECT b:443 path= authority=b:443 minor=1 framing=none keep-alive\n"
     "  Host: a\n"
     "  body \n"
     "end\n"},
    {"row_32_trace_with_body", "TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"sv,
     "TRACE / path=/ authority=a minor=1 framing=length:2 keep-alive\n"
     "  Host: a\n"
     "  Content-Length: 2\n"
     "  body hi\n"
     "end\n"},
    {"row_34_case_matters", "get / HTTP/1.1\r\nHost: a\r\n\r\n"sv,
     "get / path=/ authority=a minor=1 framing=none keep-alive\n"
     "  Host: a\n"
     "  body \n"
     "end\n"},
    {"row_34_unknown_method", "M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n"sv,
     "M-SEARCH / path=/ authority=a minor=1 framing=none keep-alive\n"
     "  Host: a\n"
     "  body \n"
     "end\n"},
    {"row_35_method_override", "POST / HTTP/1.1\r\nHost: a\r\nX-HTTP-Method-Override: DELETE\r\n\r\n"sv,
     "POST / path=/ authority=a minor=1 framing=none keep-alive\n"
     "  Host: a\n"
     "  X-HTTP-Method-Override: DELETE\n"
     "  body \n"
     "end\n"},
    {"row_40_nothing_is_decoded", "GET //x/..%2f%0d%0a%00\\y?%0d%0A//\\ HTTP/1.1\r\nHost: a\r\n\r\n"sv,
     "GET //x/..%2f%0d%0a%00\\y?%0d%0A//\\ path=//x/..%2f%0d%0a%00\\y query=%0d%0A//\\ authority=a minor=1 "
     "framing=none keep-alive\n"
     "  Host: a\n"
     "  body \n"
     "end\n"},
};

class refused_request : public testing::TestWithParam<refused_case> {};

TEST_P(refused_request, is_refused_however_it_is_cut) {
  const std::string expected = std::string(name_of(GetParam().error)) + '\n';
  const std::string reading = transcript::requests_in_every_cut(GetParam().input);
  // A fault in a body comes after its head was read.
  EXPECT_TRUE(reading.ends_with(expected)) << reading;
  if (GetParam().error != parse_error::body_truncated) {
    EXPECT_EQ(reading, expected);
  }
}

TEST_P(refused_request, is_refused_behind_a_good_one) {
  const std::string first = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
  const std::string bytes = first + std::string(GetParam().input);
  const std::string expected = std::string(name_of(GetParam().error)) + '\n';
  const std::string reading = transcript::requests_in_every_cut(bytes);
  EXPECT_TRUE(reading.ends_with(expected)) << reading;
  EXPECT_NE(reading.find("  body hi\n"), std::string::npos) << reading;
}

INSTANTIATE_TEST_SUITE_P(malformed_messages, refused_request, testing::ValuesIn(refused), name_of_case<refused_case>);

class risky_request : public testing::TestWithParam<read_case> {};

TEST_P(risky_request, is_read_one_way_however_it_is_cut) {
  EXPECT_EQ(transcript::requests_in_every_cut(GetParam().input), GetParam().reading);
}

INSTANTIATE_TEST_SUITE_P(malformed_messages, risky_request, testing::ValuesIn(read), name_of_case<read_case>);

TEST(underscore_in_a_name, is_refused_where_the_policy_says_so) {
  const auto input = "POST / HTTP/1.1\r\nHost: a\r\nContent_Length: 5\r\n\r\n"sv;
  const transcript::request_options options{.underscores = underscore_policy::refuse};
  EXPECT_EQ(transcript::requests_in_every_cut(input, options), "field_name_refused\n");
}

TEST(underscore_in_a_name, is_kept_where_the_policy_says_so) {
  const auto input = "POST / HTTP/1.1\r\nHost: a\r\nX_Y: 5\r\n\r\n"sv;
  const transcript::request_options options{.underscores = underscore_policy::keep};
  EXPECT_EQ(transcript::requests_in_every_cut(input, options),
            "POST / path=/ authority=a minor=1 framing=none keep-alive\n  Host: a\n  X_Y: 5\n  body \nend\n");
}

}  // namespace

}  // namespace onceward::http
