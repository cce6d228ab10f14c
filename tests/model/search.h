// Visits every state that can be reached, nearest first, and stops at the first step that breaks an invariant. The
// story of that step is then one of the shortest there are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/model/invariants.h"
#include "tests/model/world.h"

namespace onceward::model {

struct search_limits {
  std::uint64_t states_max = 1'000'000;
  // Also shows that no run goes round for ever. Keeps every step in memory: for small scenarios.
  bool looks_for_circles = false;
};

struct counterexample {
  finding broken;
  std::vector<std::string> story;  // Lines; the steps are numbered.
};

struct search_result {
  std::uint64_t states = 0;
  std::uint64_t steps = 0;
  std::uint64_t ends = 0;  // States in which everybody has an answer and nothing is under way.
  unsigned depth = 0;
  bool complete = false;  // Nothing is left to visit.
  std::optional<counterexample> found;
};

search_result search(world& in, const search_limits& limits);

}  // namespace onceward::model
