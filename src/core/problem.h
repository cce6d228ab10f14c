// Every refusal that onceward itself makes, as an RFC 9457 problem document.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/policy.h"

namespace onceward::core {

// The published types. Their words, statuses and members are one table in problem.cc.
enum class problem_type {
  key_missing,
  key_invalid,
  key_forbidden,
  credential_missing,
  mismatch,
  in_flight,
  outcome_unknown,
  result_gone,
  duplicate,
  upstream_unreachable,
  upstream_failed,
  upstream_timeout,
  store_unavailable,
  not_recorded,
  overloaded,
  draining,
  not_found,  // The reserved path prefix only.
  http,       // The message itself was refused: `word` and `status` come from the HTTP layer.
};

// What the key's record is, as far as the refusal tells it.
enum class operation_state {
  absent,
  in_flight,
  completed,
  released,
  unknown,
};

struct problem {
  problem_type type;
  std::uint16_t status;
  operation_state state;
  bool retryable;                                   // The same request again can end differently.
  bool new_key_safe;                                // A new key cannot run the operation a second time.
  bool wants_retry_after = false;                   // The shell adds Retry-After from what it measured.
  std::string detail = {};                          // Replaces the type's own sentence.
  std::string word = {};                            // problem_type::http only: the last part of the type.
  std::vector<std::string> differs = {};            // mismatch: which parts.
  std::optional<std::uint16_t> result_status = {};  // result_gone, duplicate: of the first result.
  std::string result_location = {};
};

// A problem with the status and members that its type has by the published table. `rules` gives the configurable
// statuses and decides whether an unknown outcome is retryable. For problem_type::http the caller sets `word` and
// `status`.
problem make_problem(problem_type type, const policy& rules, operation_state state);

// The word that ends the type's URI: "in-flight".
std::string_view type_word(const problem& what);

std::string_view to_string(operation_state state);

// The URI of the type: "urn:onceward:problem:in-flight". It names and does not locate; the page that describes it is
// wherever the gateway serves it.
std::string type_uri(const problem& what);

// The JSON document.
std::string problem_document(const problem& what);

// When the same request again can end differently, and when a new key cannot run the operation a second time.
enum class problem_retry { never, always, if_unknown_is_resolved };
enum class problem_new_key { safe, unsafe, safe_if_absent };

// What is published about a type, and what the describing pages are made of.
// borrows: literals, for ever
struct problem_description {
  problem_type type;
  std::string_view word;
  std::uint16_t status;  // Unless configured otherwise.
  problem_retry retry;
  problem_new_key new_key;
  bool wants_retry_after;
  std::string_view title;
  std::string_view detail;
};

// Every type but problem_type::http, whose words are the HTTP layer's.
std::span<const problem_description> problem_descriptions();

}  // namespace onceward::core
