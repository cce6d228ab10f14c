#include "effort.h"

#include <cstdlib>

namespace onceward::crash {
namespace {

std::uint64_t number_in(const char* variable) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
}

}  // namespace

std::uint64_t effort() {
  const std::uint64_t wanted = number_in("ONCEWARD_CRASH_EFFORT");
  return wanted == 0 ? 1 : wanted;
}

std::vector<std::uint64_t> seeds(std::uint64_t count) {
  if (const std::uint64_t only = number_in("ONCEWARD_CRASH_SEED"); only != 0) return {only};
  std::vector<std::uint64_t> all;
  for (std::uint64_t seed = 1; seed <= count * effort(); ++seed)
    all.push_back(seed);
  return all;
}

}  // namespace onceward::crash
