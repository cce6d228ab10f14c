// Fills a store through its port, with many commands outstanding: the claim of each record and, once that is granted,
// its outcome.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

#include "onceward/store.h"

namespace onceward::bench {

struct fill_plan {
  std::uint64_t records = 0;
  std::chrono::milliseconds retention{std::chrono::hours(24)};
  std::size_t fingerprint_bytes = 100;
  std::size_t response_bytes = 400;
  std::size_t tombstone_bytes = 16;
  std::size_t outstanding_max = 8'192;
};

// The key and the attempt of record number `index`.
using record_names = std::function<std::pair<record_key, attempt_id>(std::uint64_t index)>;

// Returns when every outcome is acknowledged; throws std::runtime_error when the store refuses one, because it is full
// for example.
void fill(store& into, const fill_plan& plan, const record_names& names);

}  // namespace onceward::bench
