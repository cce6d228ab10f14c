#include "core/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/outcome.h"
#include "core/prepared_policy.h"

namespace onceward::core {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

TEST(profile, is_known_by_each_published_name_and_by_no_other) {
  EXPECT_THAT(std::vector<std::string_view>(profile_names().begin(), profile_names().end()),
              ElementsAre("default", "ietf", "stripe", "one-and-done", "light-4j"));
  for (const std::string_view name : profile_names()) {
    const result<policy> rules = profile(name);
    ASSERT_TRUE(rules) << name;
    EXPECT_TRUE(prepare(*rules)) << name;
  }
  for (const char* wrong : {"", "Default", "strype"})
    EXPECT_EQ(profile(wrong).error(), errc::not_found);
}

TEST(profile, default_is_what_the_contract_says) {
  const policy rules = *profile("default");
  EXPECT_THAT(rules.methods, ElementsAre("POST", "PATCH"));
  EXPECT_EQ(rules.key.header, "Idempotency-Key");
  EXPECT_EQ(rules.key.syntax, key_syntax::lenient);
  EXPECT_EQ(rules.key.presence, key_presence::optional);
  EXPECT_EQ(rules.key.length_max, 255u);
  EXPECT_EQ(rules.scope.kind, scope_kind::credential);
  EXPECT_EQ(rules.operation, operation_kind::path);
  EXPECT_TRUE(rules.fingerprint.enabled);
  EXPECT_EQ(rules.fingerprint.body, body_recipe::raw);
  EXPECT_EQ(rules.wait, 10s);
  EXPECT_EQ(rules.lease, 30s);
  EXPECT_EQ(rules.retention, 24h);
  EXPECT_EQ(rules.mismatch_status, 422);
  EXPECT_EQ(rules.in_flight_status, 409);
  EXPECT_EQ(rules.on_unknown, unknown_policy::refuse);
  EXPECT_EQ(rules.on_store_failure, store_failure_policy::refuse);
  EXPECT_EQ(rules.body_bytes_stored_max, 1u << 20);
}

TEST(profile, ietf_is_the_draft_to_the_letter) {
  const policy rules = *profile("ietf");
  EXPECT_EQ(rules.key.syntax, key_syntax::strict);
  EXPECT_EQ(rules.key.presence, key_presence::required);
  EXPECT_EQ(rules.wait, 0ms);
  EXPECT_EQ(rules.in_flight_status, 409);
  EXPECT_EQ(rules.mismatch_status, 422);
}

TEST(profile, stripe_stores_server_errors_and_frees_the_key_of_what_was_not_begun) {
  const policy rules = *profile("stripe");
  EXPECT_EQ(rules.operation, operation_kind::none);
  EXPECT_EQ(rules.mismatch_status, 400);
  using enum outcome_class;
  for (const auto status : std::initializer_list<std::uint16_t>{200, 201, 402, 500, 503}) {
    EXPECT_EQ(classify(rules.outcomes, status, std::nullopt), completed) << status;
  }
  for (const auto status : std::initializer_list<std::uint16_t>{400, 401, 403, 404, 409, 422, 429}) {
    EXPECT_EQ(classify(rules.outcomes, status, std::nullopt), released) << status;
  }
  for (const auto status : std::initializer_list<std::uint16_t>{502, 504})
    EXPECT_EQ(classify(rules.outcomes, status, std::nullopt), unknown) << status;
}

TEST(profile, one_and_done_guards_put_and_frees_the_key_of_every_client_error) {
  const policy rules = *profile("one-and-done");
  EXPECT_THAT(rules.methods, ElementsAre("POST", "PUT"));
  EXPECT_EQ(rules.operation, operation_kind::path);
  EXPECT_EQ(rules.mismatch_status, 400);
  EXPECT_THAT(rules.replay.renamed, testing::Contains("X-Request-Id"));
  for (std::uint16_t status = 200; status <= 599; ++status) {
    const bool is_from_a_gateway = status == 502 || status == 504;
    const outcome_class expected = is_from_a_gateway   ? outcome_class::unknown
                                   : status / 100 == 4 ? outcome_class::released
                                                       : outcome_class::completed;
    EXPECT_EQ(classify(rules.outcomes, status, std::nullopt), expected) << status;
  }
}

TEST(profile, light_4j_takes_its_key_from_the_traceability_id_and_echoes_it) {
  const policy rules = *profile("light-4j");
  EXPECT_EQ(rules.key.header, "X-Traceability-Id");
  EXPECT_TRUE(rules.key.echo);
}

TEST(profile, lists_leave_room_for_those_of_a_route) {
  for (const std::string_view name : profile_names()) {
    const policy rules = *profile(name);
    EXPECT_FALSE(find_conflict(rules.outcomes)) << name;
    EXPECT_LT(rules.outcomes.complete.level, rule_level::defaults);
    EXPECT_LT(rules.outcomes.release.level, rule_level::defaults);
  }
}

}  // namespace
}  // namespace onceward::core
