// How much the random tests try. By default as much as a run of ctest has time for.
//
//   ONCEWARD_CRASH_EFFORT=<n>  n times as many seeds, and no byte left out of the damage tests
//   ONCEWARD_CRASH_SEED=<s>    this seed alone, as a failed test printed it
#pragma once

#include <cstdint>
#include <vector>

namespace onceward::crash {

// 1 unless the environment says more.
std::uint64_t effort();

// The seeds to try where `count` of them are enough for a run of ctest.
std::vector<std::uint64_t> seeds(std::uint64_t count);

// Counts a disk image that recovery was run on and judged. The program prints how many there were.
void note_image();

}  // namespace onceward::crash
