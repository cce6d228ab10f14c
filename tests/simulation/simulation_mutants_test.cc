// Every known mistake in the journal, the shell and the gateway that is listed here is found out by the simulator. Each
// runs in a process of its own, because an assertion may be what finds it.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/mutants/active.h"
#include "tests/simulation/scenario.h"
#include "tests/simulation/shrink.h"

namespace onceward::mutants {
namespace {

std::string_view active;

}  // namespace

void activate(std::string_view name) {
  active = name;
}

bool is_active(std::string_view name) {
  return name == active;
}

namespace {

struct mutant {
  const char* name;
  const char* mistake;
  const char* found_by;  // The scenario, and the seed to begin with; from 1 without.
};
std::ostream& operator<<(std::ostream& out, const mutant& which) {
  return out << which.mistake;
}

constexpr mutant mutants[] = {
#include "mutants.inc"
};

constexpr std::uint64_t seeds_max = 2'000;

simulation::scenario scenario_named(std::string_view name) {
  const auto all = simulation::read_scenarios(ONCEWARD_SCENARIOS);
  const auto found = std::find_if(all->begin(), all->end(), [&](const auto& each) { return each.name == name; });
  return *found;
}

// What the simulator says of the mistake, in one line; empty when it finds nothing.
std::string find(const mutant& which) {
  activate(which.name);
  std::istringstream found_by(which.found_by);
  std::string name;
  found_by >> name;
  std::uint64_t first = 1;
  if (std::uint64_t given = 0; found_by >> given) first = given;
  simulation::surroundings around(scenario_named(name));
  for (std::uint64_t seed = first; seed < first + seeds_max; ++seed) {
    const simulation::run_result result = simulation::run_seed(around, seed, {}, false);
    if (!result.found) continue;
    return result.found->invariant + " in " + name + " with seed " + std::to_string(seed) + ": " + result.found->why;
  }
  return "";
}

// The same in another process. `died`: an assertion ended it.
std::string find_apart(const mutant& which, bool& died) {
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) return "";
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    const std::string line = find(which);
    const bool written = write(pipe_ends[1], line.data(), line.size()) == static_cast<ssize_t>(line.size());
    _exit(written ? 0 : 1);
  }
  close(pipe_ends[1]);
  std::string line;
  char piece[512];
  for (ssize_t size = 0; (size = read(pipe_ends[0], piece, sizeof piece)) > 0;)
    line.append(piece, static_cast<std::size_t>(size));
  close(pipe_ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  died = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
  return line;
}

class every_simulated_mutant : public testing::TestWithParam<mutant> {};

TEST_P(every_simulated_mutant, is_found_out_by_the_simulator) {
  bool died = false;
  std::string found = find_apart(GetParam(), died);
  if (died) found = "an assertion";
  EXPECT_NE(found, "") << "nobody notices that " << GetParam().mistake;
  std::printf("%-32s %s\n", GetParam().name, found.c_str());
}

INSTANTIATE_TEST_SUITE_P(mutants, every_simulated_mutant, testing::ValuesIn(mutants),
                         [](const auto& which) { return std::string(which.param.name); });

// The program with all its mistakes switched off is the one that is proven.
TEST(simulated_mutants, make_no_difference_as_long_as_none_is_active) {
  activate("");
  simulation::surroundings around(scenario_named("embedded"));
  for (std::uint64_t seed = 1; seed <= 100; ++seed)
    EXPECT_FALSE(simulation::run_seed(around, seed, {}, false).found);
}

}  // namespace
}  // namespace onceward::mutants
