// The checksum of stored bytes: XXH3, 64 bits. It finds damage; it does not resist forgery.
#pragma once

#include <cstdint>
#include <string_view>

namespace onceward::base {

// The same on every machine and in every version: it is written to disk. A `seed` ties bytes to the place they belong
// to, so that intact bytes of another place fail too. About 20 ns, and 10 GB/s for long inputs.
std::uint64_t checksum(std::string_view bytes, std::uint64_t seed = 0);

}  // namespace onceward::base
