// A route's policy with everything that is worked out once: names resolved, pointers and patterns parsed.
#pragma once

#include <string>

#include "core/fingerprint.h"
#include "core/idempotency_key.h"
#include "core/policy.h"
#include "core/replay.h"
#include "core/scope.h"

namespace onceward::core {

// Constant; any thread. Lives as long as the exchanges that run under it.
struct prepared_policy {
  policy rules;
  key_reader keys;
  scope_reader scopes;
  fingerprint_recipe recipe;
  replay_rules replays;
};

// What is wrong with a policy: the setting, as the configuration file spells it ("key.pattern"), and a sentence.
struct policy_error {
  std::string setting;
  std::string message;
};

tl::expected<prepared_policy, policy_error> prepare(policy rules);

}  // namespace onceward::core
