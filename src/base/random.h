// Random bytes that nobody can guess: attempt ids, client keys, a fresh deployment secret.
#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace onceward::base {

// Bytes from OpenSSL's generator, fetched a block at a time because each call to it costs about a microsecond whatever
// the length. Not for several threads at once: each has its own. Not to be used on both sides of a fork.
class random_source {
 public:
  // Never fails: a system without entropy cannot run this program, so it ends there.
  void fill(std::span<std::byte> out);

  template <std::size_t Size>
  std::array<std::byte, Size> take() {
    std::array<std::byte, Size> out;
    fill(out);
    return out;
  }

 private:
  std::array<std::byte, 1024> block_;
  std::size_t left_ = 0;  // Unused bytes at the end of the block. Used ones are wiped.
};

}  // namespace onceward::base
