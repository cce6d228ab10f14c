#include "base/checksum.h"

#include "base/checksum_avx2.h"

// Compiled in: most texts are short, and a call into the library would cost as much as the work.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace onceward::base {
namespace {

// Shorter texts need no wide registers.
constexpr std::size_t wide_from = XXH3_MIDSIZE_MAX + 1;

bool has_avx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") != 0;
#else
  return false;
#endif
}

}  // namespace

std::uint64_t checksum(std::string_view bytes, std::uint64_t seed) {
  if (bytes.size() >= wide_from && has_avx2()) return checksum_avx2(bytes.data(), bytes.size(), seed);
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace onceward::base
