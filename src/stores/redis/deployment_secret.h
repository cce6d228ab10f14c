// The deployment secret that the gateways on one store have in common: in the store itself, or in a file, of which the
// store then knows only the identity.
#pragma once

#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "stores/redis/redis_store.h"

namespace onceward::redis {

struct agreed_secret {
  std::string kept;  // As it stands in the store.
  std::string identity;
  std::optional<std::string> bytes;  // Nothing where it is kept in a file.
};

// Offers a secret, of which `bytes` is to be kept in the store; what was agreed on before stands. The error is a
// sentence for the operator.
tl::expected<agreed_secret, std::string> agree_on_secret(const options& chosen, const std::string& identity,
                                                         const std::optional<std::string>& bytes);

}  // namespace onceward::redis
