// The simulator under the sanitizers: few seeds, and what must be true of the simulator itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "tests/simulation/scenario.h"
#include "tests/simulation/shrink.h"

namespace onceward::simulation {
namespace {

constexpr std::uint64_t seeds_each = 12;

std::vector<scenario> all_scenarios() {
  auto all = read_scenarios(ONCEWARD_SCENARIOS);
  if (!all) throw std::runtime_error(all.error());
  return *std::move(all);
}

class every_scenario : public testing::TestWithParam<scenario> {};

TEST_P(every_scenario, keeps_every_promise_for_some_seeds) {
  surroundings around(GetParam());
  for (std::uint64_t seed = 1; seed <= seeds_each; ++seed) {
    const run_result result = run_seed(around, seed, {}, false);
    EXPECT_FALSE(result.found) << "seed " << seed << ": " << result.found->invariant << ": " << result.found->why;
  }
}

TEST_P(every_scenario, runs_the_same_for_the_same_seed_and_told_or_not) {
  surroundings one(GetParam());
  surroundings other(GetParam());
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const run_result first = run_seed(one, seed, {}, true);
    const run_result again = run_seed(other, seed, {}, true);
    EXPECT_EQ(first.lines, again.lines);
    EXPECT_EQ(first.digest, run_seed(other, seed, {}, false).digest);
  }
}

TEST_P(every_scenario, runs_otherwise_for_another_seed) {
  surroundings around(GetParam());
  EXPECT_NE(run_seed(around, 1, {}, false).digest, run_seed(around, 2, {}, false).digest);
}

INSTANTIATE_TEST_SUITE_P(scenarios, every_scenario, testing::ValuesIn(all_scenarios()),
                         [](const auto& which) { return which.param.name; });

// What they did is in docs/proof.md. Known mistakes (mutants.toml) show that they still would.
TEST(seeds_that_once_broke_a_promise, keep_them_all) {
  struct once_broken {
    std::string scenario;
    std::uint64_t seed;
  };
  for (const once_broken& each :
       {once_broken{"stopped", 393}, once_broken{"stopped", 2'126}, once_broken{"stopped", 5'772},
        once_broken{"full_disk", 34'968}, once_broken{"full_disk", 58'442}}) {
    const auto all = all_scenarios();
    const auto about = std::ranges::find(all, each.scenario, &scenario::name);
    ASSERT_NE(about, all.end()) << each.scenario;
    surroundings around(*about);
    const run_result result = run_seed(around, each.seed, {}, false);
    EXPECT_FALSE(result.found) << each.scenario << " seed " << each.seed << ": " << result.found->why;
  }
}

TEST(a_plan, is_the_same_again_with_something_left_out_of_it) {
  const scenario about = all_scenarios().front();
  const plan whole = make_plan(about, 7);
  ASSERT_GT(whole.requests.size(), 2u);
  const plan less = without(whole, {.requests = {2}, .faults = {}});
  ASSERT_EQ(less.requests.size(), whole.requests.size() - 1);
  EXPECT_EQ(less.requests[1].number, 3u);
  EXPECT_EQ(less.requests[1].at, whole.requests[2].at);
}

struct scenario_file : testing::Test {
  std::string refusal_of(const std::string& text) {
    const std::string path = testing::TempDir() + "scenario_under_test.toml";
    std::ofstream(path) << text;
    const auto read = read_scenario(path);
    return read ? "" : read.error();
  }
};

TEST_F(scenario_file, is_refused_where_it_says_what_nobody_understands) {
  EXPECT_EQ(refusal_of("[faults]\nkills = 1.5\n"), "");
  EXPECT_NE(refusal_of("[faults]\nkils = 1.5\n"), "");
  EXPECT_NE(refusal_of("[fault]\nkills = 1.5\n"), "");
  EXPECT_NE(refusal_of("[faults]\nkills = \"many\"\n"), "");
  EXPECT_NE(refusal_of("[faults]\nkills = -1\n"), "");
  EXPECT_NE(refusal_of("[system]\nstore = \"paper\"\n"), "");
  EXPECT_NE(refusal_of("[sometimes]\nseen = [\"a_miracle\"]\n"), "");
  EXPECT_NE(refusal_of("[faults\n"), "");
}

}  // namespace
}  // namespace onceward::simulation
