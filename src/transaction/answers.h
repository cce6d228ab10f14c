// What a record says to a request that begins, and a response as the bytes that a gateway would have kept of it.
#pragma once

#include "core/prepared_policy.h"
#include "core/secret.h"
#include "onceward/transaction.h"

namespace onceward::transaction {

struct identifier::prepared {
  core::deployment_secret secret;
  core::prepared_policy policy;
  std::chrono::milliseconds lock_wait;
};

// The claim of a new attempt, with a random id.
claim make_claim(const identifier& rules, const identity& who);

// What a reply to a claim means, but for a grant: a run that goes on is for the caller to build.
begun found(const reply& answer, const identity& who);

// The outcome to store. The error is a sentence: no status of a final answer, a field that is none.
tl::expected<outcome_completed, std::string> outcome_of(const identifier& rules, const response& answer);

}  // namespace onceward::transaction
