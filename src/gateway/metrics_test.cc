// Metrics are sums over the workers, and docs/metrics.md lists all of them, and every log line. To write its tables
// anew:
//   ONCEWARD_WRITE_REFERENCE=1 onceward_gateway_test --gtest_filter='metrics_page.*'

#include "gateway/metrics.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace onceward::gateway {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string contents_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Two workers, because one would not show what is summed.
struct metrics : testing::Test {
  std::string text() const { return metrics_text({{one.get(), two.get()}, waiters, records, ready}, "1.2.3"); }

  std::unique_ptr<worker_counters> one = std::make_unique<worker_counters>();
  std::unique_ptr<worker_counters> two = std::make_unique<worker_counters>();
  std::size_t waiters = 0;
  store_statistics records;
  bool ready = false;
};

TEST_F(metrics, tell_the_build_and_whether_it_is_ready) {
  EXPECT_THAT(text(), HasSubstr("onceward_build_info{version=\"1.2.3\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr("onceward_ready 0\n"));
  ready = true;
  EXPECT_THAT(text(), HasSubstr("onceward_ready 1\n"));
}

TEST_F(metrics, sum_the_counters_of_all_workers) {
  one->answers[slot(answer_kind::replayed)].add(2);
  two->answers[slot(answer_kind::replayed)].add(40);
  one->client_connections.add(5);
  two->client_connections.add(-2);
  two->noted[slot(core::noted::duplicate_effect_prevented)].add();
  const std::string all = text();
  EXPECT_THAT(all, HasSubstr("onceward_requests_total{outcome=\"replayed\"} 42\n"));
  EXPECT_THAT(all, HasSubstr("onceward_requests_total{outcome=\"passed\"} 0\n"));
  EXPECT_THAT(all, HasSubstr("onceward_client_connections 3\n"));
  EXPECT_THAT(all, HasSubstr("onceward_duplicate_effects_prevented_total 1\n"));
}

TEST_F(metrics, give_durations_in_seconds_in_buckets_that_add_up) {
  using namespace std::chrono_literals;
  for (const auto took : {50us, 1'000us, 2'000us})
    one->upstream_times.add(took);
  two->upstream_times.add(60s);
  const std::string all = text();
  const std::string name = "onceward_upstream_duration_seconds";
  EXPECT_THAT(all, HasSubstr(name + "_bucket{le=\"0.0001\"} 1\n"));
  EXPECT_THAT(all, HasSubstr(name + "_bucket{le=\"0.001\"} 2\n")) << "a bound belongs to its bucket";
  EXPECT_THAT(all, HasSubstr(name + "_bucket{le=\"0.0025\"} 3\n"));
  EXPECT_THAT(all, HasSubstr(name + "_bucket{le=\"30\"} 3\n"));
  EXPECT_THAT(all, HasSubstr(name + "_bucket{le=\"+Inf\"} 4\n"));
  EXPECT_THAT(all, HasSubstr(name + "_count 4\n"));
  EXPECT_THAT(all, HasSubstr(name + "_sum 60.00305\n"));
}

TEST_F(metrics, tell_what_the_store_and_the_waiting_room_hold) {
  waiters = 7;
  records = {.records = 3,
             .records_unknown = 1,
             .bytes = 4096,
             .bytes_limit = 0,
             .accepts_claims = true,
             .failovers = 2,
             .records_lost = 5};
  const std::string all = text();
  EXPECT_THAT(all, HasSubstr("onceward_waiters 7\n"));
  EXPECT_THAT(all, HasSubstr("onceward_records 3\n"));
  EXPECT_THAT(all, HasSubstr("onceward_records_unknown 1\n"));
  EXPECT_THAT(all, HasSubstr("onceward_store_bytes 4096\n"));
  EXPECT_THAT(all, HasSubstr("onceward_store_accepts_claims 1\n"));
  EXPECT_THAT(all, HasSubstr("onceward_store_failovers_total 2\n"));
  EXPECT_THAT(all, HasSubstr("onceward_store_records_lost_total 5\n"));
}

TEST_F(metrics, name_a_fault_once_it_was_seen) {
  EXPECT_THAT(text(), Not(HasSubstr("fault=")));
  one->malformed[slot(http::parse_error::folded_line)].add();
  EXPECT_THAT(text(), HasSubstr("onceward_malformed_requests_total{fault=\"folded_line\"} 1\n"));
}

TEST_F(metrics, have_conventional_names) {
  std::string name;
  std::string type;
  std::istringstream lines(text());
  std::string line;
  int families = 0;
  while (std::getline(lines, line)) {
    std::smatch found;
    if (!std::regex_match(line, found, std::regex(R"(# TYPE (\S+) (\S+))"))) continue;
    ++families;
    name = found[1];
    type = found[2];
    EXPECT_TRUE(std::regex_match(name, std::regex("onceward_[a-z_]+"))) << name;
    EXPECT_EQ(name.ends_with("_total"), type == "counter") << name;
    EXPECT_EQ(name.ends_with("_seconds"), type == "histogram") << name;
  }
  EXPECT_GT(families, 30);
}

// ---- The page ------------------------------------------------------------------------------------------------------

struct metrics_page : metrics {
  metrics_page() {
    for (counter& each : one->malformed)
      each.add();
  }

  static constexpr const char* path = ONCEWARD_SOURCE_DIR "/docs/metrics.md";

  std::string table() const {
    std::string rows = "\n| metric | type | label | meaning |\n|---|---|---|---|\n";
    std::map<std::string, std::string> help;
    std::map<std::string, std::string> label;
    std::vector<std::pair<std::string, std::string>> names;
    std::istringstream lines(text());
    std::string line;
    while (std::getline(lines, line)) {
      std::smatch found;
      if (std::regex_match(line, found, std::regex(R"(# HELP (\S+) (.*))"))) help[found[1]] = found[2];
      if (std::regex_match(line, found, std::regex(R"(# TYPE (\S+) (.*))"))) names.emplace_back(found[1], found[2]);
      if (std::regex_search(line, found, std::regex(R"(^[a-z_]+\{([a-z]+)=)")) && found[1] != "le") {
        label[names.back().first] = "`" + found[1].str() + "`";
      }
    }
    for (const auto& [name, type] : names)
      rows += "| `" + name + "` | " + type + " | " + label[name] + " | " + help[name] + " |\n";
    return rows + "\n";
  }
};

TEST_F(metrics_page, lists_every_metric) {
  constexpr std::string_view begin_mark = "<!-- metrics: begin -->\n";
  constexpr std::string_view end_mark = "<!-- metrics: end -->\n";
  std::string page = contents_of(path);
  const std::size_t begin = page.find(begin_mark);
  const std::size_t end = page.find(end_mark);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const std::size_t from = begin + begin_mark.size();
  if (std::getenv("ONCEWARD_WRITE_REFERENCE") != nullptr) {
    page.replace(from, end - from, table());
    std::ofstream{path} << page;
    return;
  }
  EXPECT_EQ(page.substr(from, end - from), table());
}

// Found in the sources, because a line of the log is a call and not a row of a table.
std::set<std::string> logged_events() {
  std::set<std::string> events;
  const std::regex call(R"re(log(?:ger)?_?\.(?:debug|info|warning|error)\(([^{;]*))re");
  const std::regex word(R"re("([a-z-]+)")re");
  for (const char* folder : {"/src", "/apps"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(std::string(ONCEWARD_SOURCE_DIR) + folder)) {
      const std::string name = entry.path().filename().string();
      if (!name.ends_with(".cc") || name.ends_with("_test.cc")) continue;
      const std::string text = contents_of(entry.path());
      for (std::sregex_iterator at(text.begin(), text.end(), call), end; at != end; ++at) {
        const std::string arguments = (*at)[1];
        for (std::sregex_iterator one(arguments.begin(), arguments.end(), word); one != end; ++one)
          events.insert((*one)[1]);
      }
    }
  }
  return events;
}

TEST_F(metrics_page, lists_every_event_of_the_log) {
  std::set<std::string> listed;
  const std::string page = contents_of(path);
  const std::string log = page.substr(page.find("## The log"));
  const std::regex row(R"re(\n\| `([a-z-]+)` \|)re");
  for (std::sregex_iterator at(log.begin(), log.end(), row), end; at != end; ++at)
    listed.insert((*at)[1]);
  EXPECT_EQ(listed, logged_events());
}

}  // namespace
}  // namespace onceward::gateway
