// The two things that src asks the system for beside src/net, taken from the simulation instead: random bytes, and the
// time for the field Date.
#include <chrono>
#include <cstring>

#include "base/random.h"
#include "tests/simulation/process.h"

namespace onceward::base {

void random_source::fill(std::span<std::byte> out) {
  for (std::byte& each : out)
    each = static_cast<std::byte>(simulation::process::current().random().next());
}

}  // namespace onceward::base

// Ours instead of the library's, in this program only. Where no process runs, time stands still.
std::chrono::system_clock::time_point std::chrono::system_clock::now() noexcept {
  using onceward::simulation::process;
  return process::any_runs() ? time_point(process::current().wall_now()) : time_point{};
}
