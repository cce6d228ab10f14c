#include "core/problem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "core/outcome.h"

namespace onceward::core {
namespace {

using nlohmann::json;
using enum problem_type;

json document_of(const problem& what) {
  return json::parse(problem_document(what));
}

struct published_row {
  problem_type type;
  operation_state state;
  std::string_view word;
  int status;
  bool retryable;
  bool new_key_safe;
  bool wants_retry_after;
};

class published_problem : public testing::TestWithParam<published_row> {};

TEST_P(published_problem, has_the_members_that_the_table_gives_it) {
  const published_row& row = GetParam();
  const problem what = make_problem(row.type, policy{}, row.state);
  EXPECT_EQ(what.wants_retry_after, row.wants_retry_after);
  const json document = document_of(what);
  EXPECT_EQ(document["type"], "urn:onceward:problem:" + std::string(row.word));
  EXPECT_EQ(document["status"], row.status);
  EXPECT_EQ(document["operation_state"], to_string(row.state));
  EXPECT_EQ(document["retryable"], row.retryable);
  EXPECT_EQ(document["new_key_safe"], row.new_key_safe);
  EXPECT_FALSE(document["title"].get<std::string>().empty());
  EXPECT_THAT(document["detail"].get<std::string>(), testing::EndsWith("."));
  EXPECT_FALSE(document.contains("differs"));
  EXPECT_FALSE(document.contains("result"));
}

constexpr auto absent = operation_state::absent;
constexpr auto completed = operation_state::completed;
constexpr auto unknown = operation_state::unknown;

INSTANTIATE_TEST_SUITE_P(
    table, published_problem,
    testing::Values(published_row{key_missing, absent, "key-missing", 400, false, true, false},
                    published_row{key_invalid, absent, "key-invalid", 400, false, true, false},
                    published_row{key_forbidden, absent, "key-forbidden", 400, false, true, false},
                    published_row{credential_missing, absent, "credential-missing", 400, false, true, false},
                    published_row{mismatch, completed, "mismatch", 422, false, true, false},
                    published_row{in_flight, operation_state::in_flight, "in-flight", 409, true, false, true},
                    published_row{outcome_unknown, unknown, "outcome-unknown", 409, false, false, false},
                    published_row{result_gone, completed, "result-gone", 409, false, false, false},
                    published_row{duplicate, completed, "duplicate", 409, false, false, false},
                    published_row{upstream_unreachable, absent, "upstream-unreachable", 502, true, true, false},
                    published_row{upstream_failed, unknown, "upstream-failed", 502, false, false, false},
                    published_row{upstream_timeout, unknown, "upstream-timeout", 504, false, false, false},
                    published_row{store_unavailable, absent, "store-unavailable", 503, true, true, true},
                    published_row{store_unavailable, unknown, "store-unavailable", 503, true, false, true},
                    published_row{not_recorded, unknown, "not-recorded", 503, true, false, true},
                    published_row{overloaded, absent, "overloaded", 503, true, true, true},
                    published_row{overloaded, unknown, "overloaded", 503, true, false, true},
                    published_row{draining, absent, "draining", 503, true, true, true},
                    published_row{not_found, absent, "not-found", 404, false, true, false},
                    published_row{not_found, operation_state::released, "not-found", 404, false, true, false}));

TEST(problem, words_the_three_cases_of_the_draft_as_the_draft_does) {
  const json missing = document_of(make_problem(key_missing, policy{}, absent));
  EXPECT_EQ(missing["title"], "Idempotency-Key is missing");
  EXPECT_EQ(missing["detail"], "This operation is idempotent and it requires correct usage of Idempotency Key.");
  const json reused = document_of(make_problem(mismatch, policy{}, completed));
  EXPECT_EQ(reused["title"], "Idempotency-Key is already used");
  EXPECT_EQ(
      reused["detail"],
      "This operation is idempotent and it requires correct usage of Idempotency Key. Idempotency Key MUST not be "
      "reused across different payloads of this operation.");
  const json outstanding = document_of(make_problem(in_flight, policy{}, operation_state::in_flight));
  EXPECT_EQ(outstanding["title"], "A request is outstanding for this Idempotency-Key");
  EXPECT_EQ(outstanding["detail"],
            "A request with the same Idempotency-Key for the same operation is being processed or is outstanding.");
}

TEST(problem, is_retryable_after_an_unknown_outcome_where_the_route_resolves_it) {
  for (const problem_type type : {outcome_unknown, upstream_failed, upstream_timeout}) {
    policy rules;
    EXPECT_FALSE(make_problem(type, rules, unknown).retryable);
    rules.on_unknown = unknown_policy::probe;
    EXPECT_TRUE(make_problem(type, rules, unknown).retryable);
    rules.on_unknown = unknown_policy::redispatch;
    EXPECT_TRUE(make_problem(type, rules, unknown).retryable);
  }
}

TEST(problem, calls_a_new_key_safe_for_a_drained_request_only_where_no_other_runs) {
  EXPECT_TRUE(make_problem(draining, policy{}, absent).new_key_safe);
  EXPECT_FALSE(make_problem(draining, policy{}, operation_state::in_flight).new_key_safe);
  EXPECT_FALSE(make_problem(draining, policy{}, unknown).new_key_safe);
}

TEST(problem, takes_the_statuses_that_a_route_configures) {
  policy rules;
  rules.mismatch_status = 400;
  rules.in_flight_status = 425;
  EXPECT_EQ(make_problem(mismatch, rules, completed).status, 400);
  EXPECT_EQ(make_problem(in_flight, rules, operation_state::in_flight).status, 425);
  EXPECT_EQ(document_of(make_problem(in_flight, rules, operation_state::in_flight))["status"], 425);
}

TEST(problem, says_what_differs_and_never_what_it_was) {
  problem what = make_problem(mismatch, policy{}, completed);
  what.differs = {"body /amount", "header content-type"};
  EXPECT_EQ(document_of(what)["differs"], json::parse(R"(["body /amount", "header content-type"])"));
}

TEST(problem, keeps_the_first_results_status_apart_from_its_own) {
  problem what = make_problem(result_gone, policy{}, completed);
  what.result_status = std::uint16_t{201};
  what.result_location = "/v1/charges/7";
  const json document = document_of(what);
  EXPECT_EQ(document["status"], 409);
  EXPECT_EQ(document["result"], json::parse(R"({"status": 201, "location": "/v1/charges/7"})"));
}

TEST(problem, takes_a_refusal_of_the_message_itself_by_its_word) {
  problem what = make_problem(http, policy{}, absent);
  what.word = "too-large";
  what.status = 413;
  what.detail = "The body is larger than this route takes.";
  const json document = document_of(what);
  EXPECT_EQ(document["type"], "urn:onceward:problem:too-large");
  EXPECT_EQ(document["status"], 413);
  EXPECT_FALSE(document["title"].get<std::string>().empty());
  EXPECT_EQ(document["detail"], "The body is larger than this route takes.");
}

TEST(problem, is_json_whatever_bytes_it_tells_of) {
  problem what = make_problem(duplicate, policy{}, completed);
  what.result_location = std::string("/\"\\\n\x01\xff\xc3", 7);
  what.differs = {std::string("body \xed\xa0\x80")};
  EXPECT_TRUE(json::accept(problem_document(what)));
}

TEST(problem_descriptions, give_each_type_its_own_word_and_title) {
  std::set<std::string_view> words;
  std::set<std::string_view> titles;
  for (const problem_description& one : problem_descriptions()) {
    EXPECT_TRUE(words.insert(one.word).second) << one.word;
    EXPECT_TRUE(titles.insert(one.title).second) << one.title;
    EXPECT_EQ(type_word(make_problem(one.type, policy{}, absent)), one.word);
  }
  EXPECT_EQ(words.size(), 17u);
}

}  // namespace
}  // namespace onceward::core
