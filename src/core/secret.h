// The deployment secret: what makes record keys, scopes and fingerprints meaningless to whoever reads a store without
// it.
#pragma once

#include <string>
#include <string_view>

#include "base/digest.h"

namespace onceward::core {

using deployment_secret = base::hmac_key;

// The first byte of everything that is digested under the secret, so that no two uses can ever agree. Written to disk
// in the form of digests: never reuse a letter.
enum class digest_use : char {
  record_key = 'R',
  scope = 'S',
  fingerprint = 'F',
  child_key = 'C',
};

// Equal for equal secrets only, and of no use to find one.
std::string identity_of_secret(std::string_view secret);

}  // namespace onceward::core
