// What is going to be asked for and to go wrong in a run, drawn from its seed before it begins: so a run can be had
// again with less of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "tests/simulation/scenario.h"

namespace onceward::simulation {

enum class fault_kind {
  kill,
  power_cut,
  stop,
  drain,
  connection_cut,
  upstream_outage,
  idle_end,
  disk_error,
  clock_jump,
  store_outage,
  failover,
  resolution,
};
std::string_view to_string(fault_kind what);

struct planned_request {
  unsigned number;  // From 1.
  base::moment at;
  unsigned scope;
  unsigned key;
  unsigned body;
  bool leaves;
};

struct planned_fault {
  unsigned number;  // From 1.
  base::moment at;
  fault_kind what;
  std::uint64_t luck;  // Whatever else there is to choose.
};

struct plan {
  std::vector<planned_request> requests;
  std::vector<planned_fault> faults;
};

plan make_plan(const scenario& about, std::uint64_t seed);

// What is left out of a plan.
struct omissions {
  std::vector<unsigned> requests;
  std::vector<unsigned> faults;
};
plan without(plan whole, const omissions& what);

// "3,5,8", and the numbers in it.
std::string to_text(const std::vector<unsigned>& numbers);

}  // namespace onceward::simulation
