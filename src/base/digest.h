// SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104) as plain values: a digest under way can be copied, nothing allocates
// and nothing can fail.
//
// The work of keying an HMAC is done once, in hmac_key; each digest under it starts from a copy of that state.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace onceward::base {

using sha256_digest = std::array<std::byte, 32>;

// A SHA-256 under way. finish() ends it; nothing may be added afterwards.
class sha256 {
 public:
  sha256();
  void update(std::string_view bytes);
  sha256_digest finish();

 private:
  friend class hmac_key;
  alignas(8) std::array<std::byte, 112> state_;
};

// A secret made ready for digests. Any length of secret is good; 32 random bytes are right. Shared freely between
// threads. Its bytes are wiped when it goes.
class hmac_key {
 public:
  explicit hmac_key(std::string_view secret);
  hmac_key(const hmac_key&) = default;
  hmac_key& operator=(const hmac_key&) = default;
  ~hmac_key();

 private:
  friend class hmac;
  sha256 inner_;
  sha256 outer_;
};

// An HMAC-SHA-256 under way. The key is borrowed until finish().
class hmac {
 public:
  explicit hmac(const hmac_key& key) : key_(&key), inner_(key.inner_) {}
  void update(std::string_view bytes) { inner_.update(bytes); }
  sha256_digest finish();

 private:
  const hmac_key* key_;
  sha256 inner_;
};

// Whether two secrets or digests are equal, in a time that depends on their lengths alone.
bool equal_in_constant_time(std::string_view left, std::string_view right);

}  // namespace onceward::base
