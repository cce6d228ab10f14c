// The same checksum in instructions that not every processor has.
#pragma once

#include <cstddef>
#include <cstdint>

namespace onceward::base {

// Only where the processor has AVX2.
std::uint64_t checksum_avx2(const char* bytes, std::size_t count, std::uint64_t seed);

}  // namespace onceward::base
