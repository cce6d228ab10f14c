#include "core/prepared_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "core/limits.h"
#include "core/outcome.h"

namespace onceward::core {
namespace {

using namespace std::chrono_literals;

struct wrong_setting {
  std::string_view setting;
  std::function<void(policy&)> change;
};

class wrong_policy : public testing::TestWithParam<wrong_setting> {};

TEST_P(wrong_policy, is_refused_with_the_setting_and_a_sentence) {
  policy rules = *profile("default");
  ASSERT_TRUE(prepare(rules));
  GetParam().change(rules);
  const auto prepared = prepare(rules);
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().setting, GetParam().setting);
  EXPECT_THAT(prepared.error().message, testing::EndsWith("."));
}

INSTANTIATE_TEST_SUITE_P(
    table, wrong_policy,
    testing::Values(wrong_setting{"guarded_methods", [](policy& p) { p.methods = {"PO ST"}; }},
                    wrong_setting{"key.header", [](policy& p) { p.key.header = ""; }},
                    wrong_setting{"key.aliases", [](policy& p) { p.key.aliases = {"X:Y"}; }},
                    wrong_setting{"key.pointer", [](policy& p) { p.key.pointer = "idempotency_key"; }},
                    wrong_setting{"key.pattern", [](policy& p) { p.key.pattern = "(unclosed"; }},
                    wrong_setting{"key.max_length",
                                  [](policy& p) { p.key.length_max = idempotency_key_bytes_max + 1; }},
                    wrong_setting{"key.max_length", [](policy& p) { p.key.length_max = 0; }},
                    wrong_setting{"key.min_length", [](policy& p) { p.key.length_min = 256; }},
                    wrong_setting{"scope.credential.headers", [](policy& p) { p.scope.credential_headers = {"A b"}; }},
                    wrong_setting{"scope.header", [](policy& p) { p.scope.kind = scope_kind::header; }},
                    wrong_setting{"fingerprint.headers", [](policy& p) { p.fingerprint.headers = {"A b"}; }},
                    wrong_setting{"fingerprint.headers",
                                  [](policy& p) { p.fingerprint.headers.assign(fingerprint_selected_max + 1, "A"); }},
                    wrong_setting{"fingerprint.include", [](policy& p) { p.fingerprint.include = {"/a"}; }},
                    wrong_setting{"fingerprint.exclude", [](policy& p) { p.fingerprint.exclude = {"/a"}; }},
                    wrong_setting{"fingerprint.exclude",
                                  [](policy& p) {
                                    p.fingerprint.body = body_recipe::json;
                                    p.fingerprint.exclude = {"a"};
                                  }},
                    wrong_setting{"outcomes",
                                  [](policy& p) {
                                    add_statuses(p.outcomes.complete, "404");
                                    add_statuses(p.outcomes.release, "404");
                                  }},
                    wrong_setting{"replay.marker", [](policy& p) { p.replay.marker = ""; }},
                    wrong_setting{"replay.drop", [](policy& p) { p.replay.dropped = {"A\r\nB"}; }},
                    wrong_setting{"replay.rename", [](policy& p) { p.replay.renamed = {" "}; }},
                    wrong_setting{"wait", [](policy& p) { p.wait = -1ms; }},
                    wrong_setting{"lease", [](policy& p) { p.lease = 0ms; }},
                    wrong_setting{"retention", [](policy& p) { p.retention = 0ms; }},
                    wrong_setting{"retention_tombstone", [](policy& p) { p.retention_tombstone = -1ms; }},
                    wrong_setting{"mismatch", [](policy& p) { p.mismatch_status = 500; }},
                    wrong_setting{"in_flight_status", [](policy& p) { p.in_flight_status = 200; }},
                    wrong_setting{"on_unknown.probe.url", [](policy& p) { p.on_unknown = unknown_policy::probe; }}));

}  // namespace
}  // namespace onceward::core
