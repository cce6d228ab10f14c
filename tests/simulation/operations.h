// The operations that a workload is about, and the requests for them: whose they are, their key, their body, and the
// record under which the gateway keeps them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/prepared_policy.h"
#include "core/secret.h"
#include "onceward/identity.h"

namespace onceward::simulation {

// A key of one caller. The same key of two callers is two operations.
using operation_number = unsigned;

class operations {
 public:
  operations(const core::prepared_policy& rules, unsigned keys);

  static constexpr unsigned scopes = 2;
  static constexpr unsigned bodies = 2;
  unsigned count() const { return static_cast<unsigned>(records_.size()); }
  operation_number number_of(unsigned scope, unsigned key) const { return scope * keys_ + key; }

  const record_key& record_of(operation_number which) const { return records_[which]; }
  std::optional<operation_number> with_record(const record_key& record) const;
  // As an upstream finds it in a request.
  std::optional<operation_number> with(std::string_view credential, std::string_view key) const;

  std::string credential_of(operation_number which) const;
  std::string key_of(operation_number which) const;
  std::string name_of(operation_number which) const { return credential_of(which) + "'s " + key_of(which); }

  // `number` goes with it to the upstream.
  std::string request(operation_number which, unsigned body, std::uint64_t number) const;
  static unsigned body_in(std::string_view text) { return text == "pay 20" ? 1 : 0; }

  static const core::deployment_secret& secret();

 private:
  unsigned keys_;
  std::vector<record_key> records_;
};

}  // namespace onceward::simulation
