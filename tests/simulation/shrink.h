// Runs seeds, and makes of one that breaks a promise a smaller run that breaks it too.
#pragma once

#include <cstdint>

#include "tests/simulation/plan.h"
#include "tests/simulation/world.h"

namespace onceward::simulation {

run_result run_seed(surroundings& around, std::uint64_t seed, const omissions& without_these, bool tell);

// As much as can be left out of the run, one thing after the other, so that the same invariant still breaks.
omissions shrink(surroundings& around, std::uint64_t seed, const violation& found, omissions begin);

}  // namespace onceward::simulation
