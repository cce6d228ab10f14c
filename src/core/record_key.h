// Which record a request belongs to: the operation that its key names, and the digest of scope, operation and key.
#pragma once

#include <string_view>

#include "core/policy.h"
#include "core/scope.h"
#include "core/secret.h"
#include "onceward/identity.h"

namespace onceward::core {

// What a key names, as views into the request or the policy. Operations of different kinds are never the same.
struct operation_view {
  operation_kind kind;
  std::string_view method;  // operation_kind::path only.
  std::string_view name;    // The path without its query, or the route's name.
};

operation_view operation_of(const policy& rules, std::string_view method, std::string_view path);

// HMAC-SHA-256 under the secret of an encoding in which every part is preceded by its length, so that no part can
// pretend to be another. `key` is the canonical value. `fingerprint` is given under mismatch_policy::new_operation
// only.
record_key make_record_key(const deployment_secret& secret, const scope& whose, const operation_view& operation,
                           std::string_view key, std::string_view fingerprint = {});

}  // namespace onceward::core
