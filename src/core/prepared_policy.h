// A route's policy with everything that is worked out once: names resolved, pointers and patterns parsed.
#pragma once

#include "core/fingerprint.h"
#include "core/idempotency_key.h"
#include "core/policy.h"
#include "core/policy_error.h"
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

// Everything that can be wrong with a policy is found here, the first fault is returned.
tl::expected<prepared_policy, policy_error> prepare(policy rules);

}  // namespace onceward::core
