// Whose key it is. Two principals never meet in one record, because a scope is part of every record key.
#pragma once

#include <string>
#include <vector>

#include "base/digest.h"
#include "core/digest_memo.h"
#include "core/field_name.h"
#include "core/policy.h"
#include "core/secret.h"
#include "http/fields.h"

namespace onceward::core {

// A digest, so that no credential is held longer than its head, and waiters can be counted by scope.
struct scope {
  base::sha256_digest digest{};
  bool anonymous = false;  // The request carries nothing that tells its caller from others.

  friend bool operator==(const scope&, const scope&) = default;
};

// Reads the scope of requests by one route's rules. Constant; any thread.
class scope_reader {
 public:
  explicit scope_reader(const scope_policy& rules);

  // Equal for two heads if and only if all fields that identify the caller are: names, values, number and order of
  // lines. Credentials are compared as bytes.
  scope read(const deployment_secret& secret, http::fields_view fields, digest_memo* memo = nullptr) const;

  // A request of the anonymous scope is refused: problem_type::credential_missing.
  bool credential_required() const { return credential_required_; }

 private:
  scope_kind kind_;
  std::vector<field_name> names_;  // In lower case.
  field_name cookie_field_{"cookie"};
  std::string cookie_;
  bool credential_required_;
};

}  // namespace onceward::core
