#include "base/checksum.h"

// Compiled in: most texts are short, and a call into the library would cost as much as the work.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace onceward::base {

std::uint64_t checksum(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace onceward::base
