// Compiled for AVX2 (CMakeLists.txt), so nothing is in here that another file might share.
#include "base/checksum_avx2.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace onceward::base {

std::uint64_t checksum_avx2(const char* bytes, std::size_t count, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes, count, seed);
}

}  // namespace onceward::base
