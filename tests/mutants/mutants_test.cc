// Every known mistake is found out by the model checker. Each runs in a process of its own, because an assertion of the
// core may be what finds it.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/model/search.h"
#include "tests/mutants/active.h"

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
  const char* found_by;  // The scenario that is tried first.
};
std::ostream& operator<<(std::ostream& out, const mutant& which) {
  return out << which.mistake;
}

constexpr mutant mutants[] = {
#include "mutants.inc"
};

constexpr std::uint64_t states_max = 400'000;

// What the model checker says of the mistake, in one line; empty when it finds nothing.
std::string find(const mutant& which) {
  activate(which.name);
  std::uint64_t states = 0;
  std::vector<model::scenario> all = model::scenarios(model::size::test);
  std::partition(all.begin(), all.end(), [&](const auto& each) { return each.name == which.found_by; });
  for (const model::scenario& each : all) {
    model::world in(each);
    const model::search_result result = model::search(in, {.states_max = states_max});
    states += result.states;
    if (!result.found) continue;
    return result.found->broken.invariant + std::string(" in ") + each.name + " after " + std::to_string(states) +
           " states: " + result.found->broken.why;
  }
  return "";
}

// The same in another process. `died`: an assertion of the core ended it.
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

class every_mutant : public testing::TestWithParam<mutant> {};

TEST_P(every_mutant, is_found_out_by_the_model_checker) {
  bool died = false;
  std::string found = find_apart(GetParam(), died);
  if (died) found = "an assertion of the core";
  EXPECT_NE(found, "") << "nobody notices that " << GetParam().mistake;
  std::printf("%-44s %s\n", GetParam().name, found.c_str());
}

INSTANTIATE_TEST_SUITE_P(mutants, every_mutant, testing::ValuesIn(mutants),
                         [](const auto& which) { return std::string(which.param.name); });

// The program with all its mistakes switched off is the one that is proven.
TEST(mutants, make_no_difference_as_long_as_none_is_active) {
  activate("");
  const model::scenario about = model::scenarios(model::size::test).front();
  model::world in(about);
  const model::search_result result = model::search(in, {.states_max = states_max});
  EXPECT_TRUE(result.complete && !result.found);
}

}  // namespace
}  // namespace onceward::mutants
