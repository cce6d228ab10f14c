#include "gateway/problem_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/problem.h"
#include "http/errors.h"

namespace onceward::gateway {
namespace {

using testing::HasSubstr;

TEST(problem_page, describes_every_type_that_the_core_publishes) {
  for (const core::problem_description& each : core::problem_descriptions()) {
    const auto page = problem_page(each.word);
    ASSERT_TRUE(page) << each.word;
    EXPECT_THAT(*page, HasSubstr(std::string(each.title)));
    EXPECT_THAT(*page, HasSubstr(std::to_string(each.status)));
  }
}

TEST(problem_page, describes_every_refusal_of_a_message) {
  constexpr auto last = static_cast<unsigned>(http::parse_error::too_many_interim_responses);
  for (unsigned number = 0; number <= last; ++number) {
    const auto& known = http::describe(static_cast<http::parse_error>(number));
    EXPECT_TRUE(problem_page(known.type)) << known.type;
  }
}

TEST(problem_page, describes_what_the_gateway_refuses_by_itself) {
  for (const char* word : {"ambiguous-path", "method-not-allowed", "method-not-supported", "request-timeout"}) {
    const auto page = problem_page(word);
    ASSERT_TRUE(page) << word;
    EXPECT_THAT(*page, HasSubstr(word));
  }
}

TEST(problem_page, knows_no_other_word) {
  EXPECT_FALSE(problem_page(""));
  EXPECT_FALSE(problem_page("in-fligh"));
  EXPECT_FALSE(problem_page("in-flight/"));
}

}  // namespace
}  // namespace onceward::gateway
