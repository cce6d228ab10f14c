// Every scenario at the smallest bound: complete, nothing broken, and never round in a circle. Larger bounds are for an
// optimised build: docs/proof.md.
#include "tests/model/report.h"
#include "tests/model/search.h"

#include <gtest/gtest.h>

namespace onceward::model {
namespace {

constexpr std::uint64_t states_max = 400'000;

class every_scenario : public testing::TestWithParam<std::size_t> {};

TEST_P(every_scenario, keeps_every_promise_in_every_state) {
  const scenario about = scenarios(size::test)[GetParam()];
  world in(about);
  const search_result found = search(in, {.states_max = states_max, .looks_for_circles = true});
  const std::string text = describe(about) + "\n" + describe(found, in);
  EXPECT_TRUE(found.complete && !found.found) << text;
  EXPECT_GT(found.ends, 0u) << text;
  std::fputs(text.c_str(), stdout);
}

INSTANTIATE_TEST_SUITE_P(model, every_scenario, testing::Range(std::size_t{0}, scenarios(size::test).size()),
                         [](const auto& which) { return scenarios(size::test)[which.param].name; });

// The checks are checked: a world that forgets the rule must be found out, with a story that can be followed.
TEST(search, tells_the_shortest_story_of_what_broke) {
  scenario about = scenarios(size::test).front();
  about.rules.outcomes.release = about.rules.outcomes.unknown;  // 504 frees the key: the model knows better.
  about.rules.outcomes.unknown = {};
  world in(about);
  const search_result found = search(in, {.states_max = states_max});
  ASSERT_TRUE(found.found);
  EXPECT_STREQ(found.found->broken.invariant, "unknown-stays-unknown");
  ASSERT_FALSE(found.found->story.empty());
  EXPECT_NE(found.found->story.front().find("a caller sends"), std::string::npos);
}

}  // namespace
}  // namespace onceward::model
