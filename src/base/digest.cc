#include "base/digest.h"

// OpenSSL's own SHA256_* functions are deprecated in favour of EVP. They are used all the same, here alone: their state
// is a plain value, so a keyed digest starts with a copy instead of an allocation. A short HMAC takes 0.20 µs this way
// against 0.36 µs over copied EVP contexts and 0.42 µs over EVP_MAC, and a guarded request needs at least five.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <new>
#include <span>
#include <type_traits>

namespace onceward::base {
namespace {

constexpr std::size_t block_bytes = 64;

SHA256_CTX* context(std::array<std::byte, 112>& state) {
  return std::launder(reinterpret_cast<SHA256_CTX*>(state.data()));
}

std::string_view text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

sha256::sha256() {
  static_assert(sizeof(SHA256_CTX) == sizeof(state_) && alignof(SHA256_CTX) <= 8);
  static_assert(std::is_trivially_copyable_v<SHA256_CTX>);
  SHA256_Init(new (state_.data()) SHA256_CTX);
}

void sha256::update(std::string_view bytes) {
  SHA256_Update(context(state_), bytes.data(), bytes.size());
}

sha256_digest sha256::finish() {
  sha256_digest digest;
  SHA256_Final(reinterpret_cast<unsigned char*>(digest.data()), context(state_));
  return digest;
}

hmac_key::hmac_key(std::string_view secret) {
  std::array<std::byte, block_bytes> block{};
  if (secret.size() > block_bytes) {
    sha256 shortened;
    shortened.update(secret);
    std::ranges::copy(shortened.finish(), block.begin());
  } else {
    std::ranges::copy(std::as_bytes(std::span(secret)), block.begin());
  }
  std::array<std::byte, block_bytes> padded;
  std::ranges::transform(block, padded.begin(), [](std::byte b) { return b ^ std::byte{0x36}; });
  inner_.update(text(padded));
  std::ranges::transform(block, padded.begin(), [](std::byte b) { return b ^ std::byte{0x5c}; });
  outer_.update(text(padded));
  OPENSSL_cleanse(block.data(), block.size());
  OPENSSL_cleanse(padded.data(), padded.size());
}

hmac_key::~hmac_key() {
  OPENSSL_cleanse(inner_.state_.data(), inner_.state_.size());
  OPENSSL_cleanse(outer_.state_.data(), outer_.state_.size());
}

sha256_digest hmac::finish() {
  sha256 outer = key_->outer_;
  outer.update(text(inner_.finish()));
  return outer.finish();
}

bool equal_in_constant_time(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace onceward::base
