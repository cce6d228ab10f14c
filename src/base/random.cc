#include "base/random.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <cstring>

#include "base/assert.h"

namespace onceward::base {
namespace {

void generate(std::span<std::byte> out) {
  const int done = RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size()));
  onceward_assert(done == 1);
}

}  // namespace

void random_source::fill(std::span<std::byte> out) {
  if (out.empty()) return;
  if (out.size() > block_.size() / 4) {
    generate(out);
    return;
  }
  if (out.size() > left_) {
    generate(block_);
    left_ = block_.size();
  }
  std::byte* const from = block_.data() + block_.size() - left_;
  std::memcpy(out.data(), from, out.size());
  OPENSSL_cleanse(from, out.size());
  left_ -= out.size();
}

}  // namespace onceward::base
