// `onceward store migrate`: makes the schema of this build in a database, or brings an older one up to it.
#pragma once

#include <string>

#include <tl/expected.hpp>

namespace onceward::postgres {

struct migrated {
  bool changed;             // False where the schema of this version was there already.
  std::string description;  // "db:5432/payments"
};

// One transaction, under a lock that other migrations wait for: it may be run by many at once. The error is a sentence
// for the operator, without credentials.
tl::expected<migrated, std::string> migrate(const std::string& url);

}  // namespace onceward::postgres
