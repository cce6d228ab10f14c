#include "gateway/record_document.h"

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "core/record_codec.h"

namespace onceward::gateway {
namespace {

using json = nlohmann::json;
using std::chrono::milliseconds;

record_summary summary() {
  return {.attempt = {},
          .attempt_number = 2,
          .token = fence{7},
          .first_seen = wall_time{milliseconds{1'000}},
          .ended_at = wall_time{milliseconds{2'500}},
          .expires_at = wall_time{milliseconds{86'400'000}},
          .fingerprint = std::make_shared<const std::string>("secret print")};
}

TEST(record_document, writes_times_as_rfc_3339) {
  EXPECT_EQ(rfc3339(wall_time{milliseconds{0}}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339(wall_time{milliseconds{1'795'363'200'123}}), "2026-11-22T16:00:00.123Z");
  EXPECT_EQ(rfc3339(wall_time{milliseconds{-1}}), "1969-12-31T23:59:59.999Z");
}

TEST(record_document, shows_each_state_with_what_is_known_of_it) {
  EXPECT_EQ(json::parse(record_document(record_absent{})), json::parse(R"({"state":"absent"})"));

  const json running = json::parse(record_document(record_in_flight{summary(), milliseconds{500}}));
  EXPECT_EQ(running["state"], "in-flight");
  EXPECT_EQ(running["attempt"], 2);
  EXPECT_EQ(running["fence"], 7);
  EXPECT_EQ(running["lease_ends_at"], "1970-01-01T00:00:02.500Z");
  EXPECT_FALSE(running.contains("completed_at"));

  EXPECT_EQ(json::parse(record_document(record_unknown{summary()}))["state"], "unknown");
  EXPECT_EQ(json::parse(record_document(record_released{summary()}))["state"], "released");

  const auto tombstone = core::write_tombstone({201, "/charges/1"});
  const auto response = std::make_shared<const std::string>("not shown");
  const json done = json::parse(record_document(record_completed{summary(), response, tombstone}));
  EXPECT_EQ(done["state"], "completed");
  EXPECT_EQ(done["first_seen"], "1970-01-01T00:00:01.000Z");
  EXPECT_EQ(done["completed_at"], "1970-01-01T00:00:02.500Z");
  EXPECT_EQ(done["expires_at"], "1970-01-02T00:00:00.000Z");
  EXPECT_EQ(done["status"], 201);
  EXPECT_EQ(done["location"], "/charges/1");
  EXPECT_EQ(done["body_kept"], true);
  EXPECT_EQ(json::parse(record_document(record_completed{summary(), nullptr, tombstone}))["body_kept"], false);
}

TEST(record_document, never_shows_a_fingerprint_or_a_response) {
  const auto text = record_document(
      record_completed{summary(), std::make_shared<const std::string>("the body"), core::write_tombstone({200, ""})});
  EXPECT_EQ(text.find("print"), std::string::npos);
  EXPECT_EQ(text.find("the body"), std::string::npos);
}

TEST(record_document, a_location_that_is_not_utf_8_is_still_json) {
  const auto text = record_document(record_completed{summary(), nullptr, core::write_tombstone({201, "/\xff\xfe"})});
  EXPECT_TRUE(json::accept(text)) << text;
}

TEST(record_document, lists_records_by_name) {
  unknown_listed listed;
  listed.items.push_back({record_key{}, summary()});
  const json read = json::parse(record_list_document(listed));
  ASSERT_EQ(read["records"].size(), 1u);
  EXPECT_EQ(read["records"][0]["record"], std::string(64, '0'));
  EXPECT_EQ(read["records"][0]["state"], "unknown");
}

}  // namespace
}  // namespace onceward::gateway
