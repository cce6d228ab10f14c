// What the server of a shared store makes of commands: the simulator's model of PostgreSQL and the others. That they
// say the same as it does is seen by tests/conformance/model_conformance.cc, which gives both the same commands.
//
// A value: a copy is what had been replicated when it was made.
#pragma once

#include <cstdint>

#include "onceward/store.h"
#include "stores/memory/record_table.h"

namespace onceward::simulation {

class server_model {
 public:
  reply decide(const command& what, wall_time now);

  // What it has becomes what `replica` has.
  void fail_over_to(const server_model& replica) { table_ = replica.table_; }

 private:
  static constexpr std::uint64_t completion_bytes_reserved = 1'024;

  std::uint64_t last_fence_ = 0;
  memory_store::record_table table_{completion_bytes_reserved};
};

}  // namespace onceward::simulation
