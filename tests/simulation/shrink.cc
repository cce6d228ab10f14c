#include "tests/simulation/shrink.h"

namespace onceward::simulation {

run_result run_seed(surroundings& around, std::uint64_t seed, const omissions& without_these, bool tell) {
  const plan what = without(make_plan(around.about, seed), without_these);
  return world(around, seed, tell).run(what);
}

omissions shrink(surroundings& around, std::uint64_t seed, const violation& found, omissions begin) {
  const auto breaks = [&](const omissions& tried) {
    const run_result result = run_seed(around, seed, tried, false);
    return result.found && result.found->invariant == found.invariant;
  };
  const auto leave_out = [&](unsigned number, std::vector<unsigned> omissions::* from) {
    omissions tried = begin;
    (tried.*from).push_back(number);
    if (!breaks(tried)) return false;
    begin = std::move(tried);
    return true;
  };
  for (bool smaller = true; smaller;) {
    smaller = false;
    const plan now = without(make_plan(around.about, seed), begin);
    for (const planned_fault& each : now.faults)
      smaller |= leave_out(each.number, &omissions::faults);
    for (const planned_request& each : now.requests)
      smaller |= leave_out(each.number, &omissions::requests);
  }
  return begin;
}

}  // namespace onceward::simulation
