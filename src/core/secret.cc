#include "core/secret.h"

#include <span>

#include "base/hex.h"

namespace onceward::core {

// 128 bits of a digest of 256 random ones.
std::string identity_of_secret(std::string_view secret) {
  base::sha256 digest;
  digest.update("onceward secret identity\n");
  digest.update(secret);
  const base::sha256_digest all = digest.finish();
  return base::to_hex(std::span(all).first(16));
}

}  // namespace onceward::core
