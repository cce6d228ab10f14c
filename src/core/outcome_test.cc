#include "core/outcome.h"

#include <gtest/gtest.h>

#include <array>
#include <initializer_list>
#include <set>
#include <vector>

#include "http/fields.h"

namespace onceward::core {
namespace {

using namespace std::chrono_literals;
using enum outcome_class;

status_list list_at(rule_level level, std::initializer_list<std::string_view> statuses) {
  status_list list;
  list.level = level;
  for (const std::string_view status : statuses)
    EXPECT_TRUE(add_statuses(list, status)) << status;
  return list;
}

TEST(default_outcomes, are_the_published_table) {
  const outcome_policy rules = default_outcomes();
  const std::set<int> released = {401, 403, 407, 408, 409, 421, 423, 425, 429};
  for (std::uint16_t status = 100; status <= 599; ++status) {
    outcome_class expected = completed;
    if (status < 200 || status == 502 || status == 504) {
      expected = unknown;
    } else if (status >= 500 || released.contains(status)) {
      expected = outcome_class::released;
    }
    EXPECT_EQ(classify(rules, status, std::nullopt), expected) << status;
  }
  EXPECT_FALSE(find_conflict(rules));
}

TEST(classify, believes_what_the_upstream_says_of_itself) {
  for (const outcome_class stated : {completed, released, unknown}) {
    for (const auto status : std::initializer_list<std::uint16_t>{200, 401, 502}) {
      EXPECT_EQ(classify(default_outcomes(), status, stated), stated);
    }
  }
}

TEST(classify, lets_a_number_beat_a_class_of_any_level) {
  outcome_policy rules = default_outcomes();
  rules.complete = list_at(rule_level::route, {"2xx", "4xx", "5xx"});
  EXPECT_EQ(classify(rules, 500, std::nullopt), completed);
  EXPECT_EQ(classify(rules, 502, std::nullopt), unknown);
  EXPECT_EQ(classify(rules, 429, std::nullopt), released);
}

TEST(classify, lets_the_more_specific_level_decide_among_numbers_and_among_classes) {
  outcome_policy rules = default_outcomes();
  rules.complete = list_at(rule_level::route, {"502", "5xx"});
  EXPECT_EQ(classify(rules, 502, std::nullopt), completed);
  EXPECT_EQ(classify(rules, 500, std::nullopt), completed);
  rules.release = list_at(rule_level::profile, {"404"});
  rules.complete = list_at(rule_level::defaults, {"404"});
  EXPECT_EQ(classify(rules, 404, std::nullopt), completed);
}

TEST(classify, takes_a_status_in_no_list_for_unknown) {
  outcome_policy rules = default_outcomes();
  rules.release = list_at(rule_level::route, {"429"});
  EXPECT_EQ(classify(rules, 500, std::nullopt), unknown);
  EXPECT_EQ(classify(rules, 409, std::nullopt), completed);
  for (std::uint16_t status = 100; status <= 599; ++status) {
    EXPECT_EQ(classify(outcome_policy{}, status, std::nullopt), unknown);
  }
}

// Brute force: every way in which three lists of two levels can hold one status as a number, as its class, or not.
TEST(classify, follows_its_published_order_in_every_combination) {
  struct choice {
    int form;  // 0: not in the list; 1: by class; 2: by number.
    rule_level level;
  };
  std::vector<choice> choices;
  for (int form = 0; form < 3; ++form) {
    choices.push_back({form, rule_level::built_in});
    choices.push_back({form, rule_level::route});
  }
  const auto make = [](choice one) {
    status_list list;
    list.level = one.level;
    if (one.form == 1) list.classes.set(4);
    if (one.form == 2) list.numbers.set(404);
    return list;
  };
  const auto rank = [](choice one, int care) {
    return one.form == 0 ? -1 : one.form * 100 + (one.level == rule_level::route ? 10 : 0) + care;
  };
  for (const choice c : choices) {
    for (const choice r : choices) {
      for (const choice u : choices) {
        const std::array<int, 3> ranks = {rank(r, 0), rank(c, 1), rank(u, 2)};
        const std::array<outcome_class, 3> classes = {released, completed, unknown};
        outcome_class expected = unknown;
        int best = -1;
        for (std::size_t i = 0; i < 3; ++i) {
          if (ranks[i] > best) {
            best = ranks[i];
            expected = classes[i];
          }
        }
        EXPECT_EQ(classify({make(c), make(r), make(u)}, 404, std::nullopt), expected);
      }
    }
  }
}

TEST(add_statuses, takes_numbers_and_classes_from_1xx_to_5xx) {
  status_list list;
  EXPECT_TRUE(add_statuses(list, "404"));
  EXPECT_TRUE(add_statuses(list, "5xx"));
  EXPECT_TRUE(list.numbers.test(404));
  EXPECT_TRUE(list.classes.test(5));
  EXPECT_EQ(list.numbers.count() + list.classes.count(), 2u);
  for (const char* wrong :
       {"", "4", "44", "4444", "600", "099", "6xx", "0xx", "x00", "4x4", "4XX", "-44", "+44", " 44", "40x"}) {
    EXPECT_FALSE(add_statuses(list, wrong)) << wrong;
  }
  EXPECT_EQ(list.numbers.count() + list.classes.count(), 2u);
}

TEST(find_conflict, names_the_status_that_two_lists_of_one_level_hold) {
  outcome_policy rules = default_outcomes();
  rules.complete = list_at(rule_level::route, {"2xx", "409"});
  rules.release = list_at(rule_level::route, {"409", "5xx"});
  const auto conflict = find_conflict(rules);
  ASSERT_TRUE(conflict);
  EXPECT_EQ(conflict->statuses, "409");
  EXPECT_NE(conflict->first, conflict->second);

  rules.release = list_at(rule_level::route, {"2xx"});
  ASSERT_TRUE(find_conflict(rules));
  EXPECT_EQ(find_conflict(rules)->statuses, "2xx");

  rules.release = list_at(rule_level::defaults, {"2xx", "409"});
  EXPECT_FALSE(find_conflict(rules)) << "a more specific list decides";
}

struct stated_row {
  std::vector<std::string_view> lines;
  std::optional<outcome_class> outcome;
  std::optional<std::chrono::seconds> retention;
  bool ignored;
};

class stated_field : public testing::TestWithParam<stated_row> {};

TEST_P(stated_field, is_read_as_one_token_with_parameters) {
  std::vector<http::field_view> fields = {http::make_field("Content-Type", "text/plain")};
  for (const std::string_view line : GetParam().lines)
    fields.push_back(http::make_field("idempotency-outcome", line));
  const stated_outcome read = read_stated_outcome(fields);
  EXPECT_EQ(read.outcome, GetParam().outcome);
  EXPECT_EQ(read.retention, GetParam().retention);
  EXPECT_EQ(read.ignored, GetParam().ignored);
}

INSTANTIATE_TEST_SUITE_P(table, stated_field,
                         testing::Values(stated_row{{}, std::nullopt, std::nullopt, false},
                                         stated_row{{"completed"}, completed, std::nullopt, false},
                                         stated_row{{"released"}, released, std::nullopt, false},
                                         stated_row{{"unknown"}, unknown, std::nullopt, false},
                                         stated_row{{"completed;retention=60"}, completed, 60s, false},
                                         stated_row{{"completed; note=\"x\"; retention=60"}, completed, 60s, false},
                                         stated_row{{"completed;retention=31622400"}, completed, 31'622'400s, false},
                                         stated_row{{"completed;retention=31622401"}, completed, std::nullopt, true},
                                         stated_row{{"completed;retention=0"}, completed, std::nullopt, true},
                                         stated_row{{"completed;retention=-1"}, completed, std::nullopt, true},
                                         stated_row{{"completed;retention=soon"}, completed, std::nullopt, true},
                                         stated_row{{"Completed"}, std::nullopt, std::nullopt, true},
                                         stated_row{{"\"completed\""}, std::nullopt, std::nullopt, true},
                                         stated_row{{"done"}, std::nullopt, std::nullopt, true},
                                         stated_row{{""}, std::nullopt, std::nullopt, true},
                                         stated_row{{"completed, released"}, std::nullopt, std::nullopt, true},
                                         stated_row{{"completed", "completed"}, std::nullopt, std::nullopt, true}));

}  // namespace
}  // namespace onceward::core
