// The deployment secret that the gateways on one database have in common: in the database itself, or in a file, of
// which the database then knows only the identity.
#pragma once

#include <optional>
#include <string>

#include <tl/expected.hpp>

namespace onceward::postgres {

struct agreed_secret {
  std::string identity;
  std::optional<std::string> bytes;  // Nothing where it is kept in a file.
};

// Offers a secret, of which `bytes` is to be kept in the database; what was agreed on before stands. The error is a
// sentence for the operator.
tl::expected<agreed_secret, std::string> agree_on_secret(const std::string& url, const std::string& identity,
                                                         const std::optional<std::string>& bytes);

}  // namespace onceward::postgres
