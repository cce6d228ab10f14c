#include "gateway/config_text.h"

#include <array>

#include <gtest/gtest.h>

namespace onceward::gateway {
namespace {

using namespace std::chrono_literals;

TEST(config_text, reads_durations_with_each_unit) {
  EXPECT_EQ(parse_duration("0").value(), 0ms);
  EXPECT_EQ(parse_duration("250ms").value(), 250ms);
  EXPECT_EQ(parse_duration("10s").value(), 10s);
  EXPECT_EQ(parse_duration("2m").value(), 2min);
  EXPECT_EQ(parse_duration("24h").value(), 24h);
  EXPECT_EQ(parse_duration("7d").value(), 24h * 7);
  EXPECT_EQ(parse_duration("9223372036854775807ms").value().count(), 9223372036854775807);
}

TEST(config_text, refuses_what_is_no_duration) {
  for (const char* text :
       {"", "s", "-1s", "+1s", "1.5s", " 1s", "1 s", "1s ", "1S", "1w", "1m30s", "9223372036854775808ms",
        "9223372036854776s", "106751991168d", "18446744073709551616s", "0x1s"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(config_text, offers_seconds_for_a_duration_without_a_unit) {
  EXPECT_EQ(parse_duration("10").error(),
            "must be a duration such as 250ms, 10s, 2m, 24h or 0, not `10`; did you mean `10s`?");
  EXPECT_EQ(parse_duration("soon").error(), "must be a duration such as 250ms, 10s, 2m, 24h or 0, not `soon`");
}

TEST(config_text, reads_sizes_with_and_without_units) {
  EXPECT_EQ(parse_bytes("0").value(), 0U);
  EXPECT_EQ(parse_bytes("1000").value(), 1000U);
  EXPECT_EQ(parse_bytes("12B").value(), 12U);
  EXPECT_EQ(parse_bytes("64KiB").value(), 65'536U);
  EXPECT_EQ(parse_bytes("1MiB").value(), 1'048'576U);
  EXPECT_EQ(parse_bytes("8GiB").value(), 8'589'934'592U);
  EXPECT_EQ(parse_bytes("2TiB").value(), 2'199'023'255'552U);
}

TEST(config_text, refuses_what_is_no_size_and_knows_what_was_meant) {
  for (const char* text :
       {"", "KiB", "-1", "1.5MiB", "1 MiB", "9007199254740992KiB", "8388608TiB", "10000000000000000000"}) {
    EXPECT_FALSE(parse_bytes(text)) << text;
  }
  EXPECT_EQ(parse_bytes("64KB").error(),
            "must be a size such as 64KiB, 1MiB or 4096 (bytes), not `64KB`; did you mean `64KiB`?");
  EXPECT_EQ(parse_bytes("1m").error(),
            "must be a size such as 64KiB, 1MiB or 4096 (bytes), not `1m`; did you mean `1MiB`?");
}

TEST(config_text, reads_addresses_to_listen_on) {
  EXPECT_EQ(parse_host_and_port("127.0.0.1:8080").value().host, "127.0.0.1");
  EXPECT_EQ(parse_host_and_port("127.0.0.1:8080").value().port, 8080);
  EXPECT_EQ(parse_host_and_port("[::1]:0").value().host, "::1");
  EXPECT_EQ(parse_host_and_port("[::1]:0").value().port, 0);
  EXPECT_EQ(parse_host_and_port("localhost:65535").value().port, 65535);
  for (const char* text : {"", "8080", ":8080", "localhost", "localhost:", "::1:8080", "[::1]", "host:65536", "host:-1",
                           "host:80:80", "user@host:80", "host:80/", "ho st:80", "host:8o80"}) {
    EXPECT_FALSE(parse_host_and_port(text)) << text;
  }
  EXPECT_EQ(parse_host_and_port("8080").error(),
            "must be HOST:PORT such as 127.0.0.1:8080 or [::1]:8080, not `8080`; did you mean `127.0.0.1:8080`?");
}

TEST(config_text, reads_upstreams) {
  EXPECT_EQ(parse_upstream("http://127.0.0.1:9000").value().port, 9000);
  EXPECT_EQ(parse_upstream("http://api.example/").value().host, "api.example");
  EXPECT_EQ(parse_upstream("http://api.example/").value().port, 80);
  EXPECT_EQ(parse_upstream("http://[::1]:9000").value().host, "::1");
  for (const char* text :
       {"", "http://", "http://:80", "http://host:0", "http://host:70000", "ftp://host", "//host", "http://host/v1",
        "http://host?x", "http://host#x", "http://ho st", "HTTP://host", "http://a//"}) {
    EXPECT_FALSE(parse_upstream(text)) << text;
  }
  EXPECT_EQ(parse_upstream("localhost:9000").error(),
            "must be a URL such as http://127.0.0.1:9000, not `localhost:9000`; did you mean `http://localhost:9000`?");
  EXPECT_EQ(parse_upstream("https://host").error(),
            "must be a URL such as http://127.0.0.1:9000: https is not supported");
}

TEST(config_text, does_not_show_the_password_of_a_url) {
  EXPECT_EQ(parse_upstream("http://me:hunter2@host").error().find("hunter2"), std::string::npos);
}

TEST(config_text, writes_values_in_their_largest_whole_unit) {
  EXPECT_EQ(duration_text(0ms), "0");
  EXPECT_EQ(duration_text(1500ms), "1500ms");
  EXPECT_EQ(duration_text(90s), "90s");
  EXPECT_EQ(duration_text(24h), "1d");
  EXPECT_EQ(bytes_text(0), "0");
  EXPECT_EQ(bytes_text(1000), "1000");
  EXPECT_EQ(bytes_text(1024), "1KiB");
  EXPECT_EQ(bytes_text(1 << 20), "1MiB");
  EXPECT_EQ(host_and_port_text("::1", 80), "[::1]:80");
}

TEST(config_text, writes_what_it_reads) {
  for (std::int64_t value = 1; value < 400'000'000; value = value * 7 / 2 + 1) {
    EXPECT_EQ(parse_duration(duration_text(std::chrono::milliseconds{value})).value().count(), value);
    EXPECT_EQ(parse_bytes(bytes_text(static_cast<std::uint64_t>(value))).value(), static_cast<std::uint64_t>(value));
  }
}

TEST(config_text, finds_the_nearest_word_and_only_if_it_is_near) {
  constexpr std::array<std::string_view, 4> known{"listen", "lease", "retention", "key"};
  EXPECT_EQ(nearest("listne", known), "listen");
  EXPECT_EQ(nearest("retension", known), "retention");
  EXPECT_EQ(nearest("LEASE", known), "lease");
  EXPECT_EQ(nearest("keys", known), "key");
  EXPECT_EQ(nearest("kee", known), "key");
  EXPECT_EQ(nearest("durability", known), std::nullopt);
  EXPECT_EQ(nearest("", known), std::nullopt);
  EXPECT_EQ(nearest(std::string(1000, 'l'), known), std::nullopt);
}

}  // namespace
}  // namespace onceward::gateway
