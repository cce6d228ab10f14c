#include "gateway/log.h"

#include <regex>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "gateway/log_throttle.h"

namespace onceward::gateway {
namespace {

struct captured {
  std::vector<std::string> lines;
  logger log;

  explicit captured(log_level least) : log(least, [this](std::string_view line) { lines.emplace_back(line); }) {}
};

TEST(log, writes_an_object_with_time_level_and_event_first) {
  captured out(log_level::info);
  out.log.info("started",
               {{"listen", "127.0.0.1:8080"}, {"workers", 4U}, {"synced", true}, {"seconds", 0.5}, {"left", -1}});
  ASSERT_EQ(out.lines.size(), 1U);
  EXPECT_TRUE(std::regex_match(
      out.lines[0],
      std::regex(R"re(\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","level":"info","event":"started",)re"
                 R"re("listen":"127.0.0.1:8080","workers":4,"synced":true,"seconds":0.5,"left":-1\})re")))
      << out.lines[0];
}

TEST(log, leaves_out_what_is_below_its_level) {
  captured out(log_level::warning);
  out.log.debug("a");
  out.log.info("b");
  out.log.warning("c");
  out.log.error("d");
  EXPECT_EQ(out.lines.size(), 2U);
  EXPECT_FALSE(out.log.logs(log_level::info));
  EXPECT_TRUE(out.log.logs(log_level::error));
}

TEST(log, keeps_every_line_one_json_line_whatever_it_is_given) {
  captured out(log_level::debug);
  out.log.info("odd", {{"text", "line\nbreak \"quote\" \\ \x01 \xff\xfe"}});
  ASSERT_EQ(out.lines.size(), 1U);
  EXPECT_EQ(out.lines[0].find('\n'), std::string::npos);
  const auto parsed = nlohmann::json::parse(out.lines[0], nullptr, false);
  ASSERT_FALSE(parsed.is_discarded()) << out.lines[0];
  EXPECT_EQ(parsed["text"].get<std::string>().substr(0, 23), "line\nbreak \"quote\" \\ \x01 ");
}

TEST(log, bounds_the_repetition_of_warnings_but_not_of_requests) {
  captured out(log_level::info);
  for (int i = 0; i < 1000; ++i)
    out.log.warning("store_full");
  EXPECT_EQ(out.lines.size(), log_throttle::lines_per_window_max);
  for (int i = 0; i < 1000; ++i)
    out.log.info("request");
  EXPECT_EQ(out.lines.size(), log_throttle::lines_per_window_max + 1000);
}

TEST(log, names_a_record_by_the_first_bytes_of_its_record_key) {
  record_key key;
  key.bytes.fill(std::byte{0xab});
  key.bytes[0] = std::byte{0x01};
  EXPECT_EQ(key_hash(key), "01ababababababab");
}

}  // namespace
}  // namespace onceward::gateway
