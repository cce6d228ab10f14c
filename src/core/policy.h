// The rules that hold for one route: which field is the key, whose it is, what makes two requests the same, how long
// things last, and what a duplicate gets. Plain values, filled from configuration or from a named profile and then
// never changed.
#pragma once

#include <bitset>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onceward/result.h"

namespace onceward::core {

// ---- Idempotency key -----------------------------------------------------------------------------------------------

enum class key_syntax {
  strict,   // A Structured Field String only (RFC 9651 section 4.2).
  lenient,  // A Structured Field String where it starts with a quote, else a bare key.
};

enum class key_presence {
  optional,   // Without a key the request passes unguarded.
  required,   // Without a key: 400.
  forbidden,  // With a key: 400.
};

enum class key_forwarding {
  as_sent,
  bare,
  quoted,
};

enum class key_format {
  any,
  uuid,
};

struct key_policy {
  std::string header = "Idempotency-Key";
  std::vector<std::string> aliases;
  std::string pointer;  // JSON pointer (RFC 6901) into the body; empty for none.
  key_syntax syntax = key_syntax::lenient;
  key_presence presence = key_presence::optional;
  key_forwarding forwarding = key_forwarding::as_sent;
  key_format format = key_format::any;
  std::string pattern;  // A regular expression (RE2) that the whole key must match; empty for none.
  std::size_t length_min = 1;
  std::size_t length_max = 255;
  bool echo = false;  // The response carries the key in the same field (light-4j).
};

// ---- Scope, operation ----------------------------------------------------------------------------------------------

enum class scope_kind {
  credential,  // The credential fields together; else the cookie; else anonymous.
  header,      // One field that a trusted proxy sets.
  shared,      // One tenant.
};

struct scope_policy {
  scope_kind kind = scope_kind::credential;
  std::vector<std::string> credential_headers = {"Authorization", "X-Api-Key", "Api-Key"};
  std::string cookie;  // The name of the cookie that identifies a caller; empty for the whole Cookie field.
  std::string header;  // For scope_kind::header.
  bool credential_required = false;  // A request of the anonymous scope gets a 400.
};

enum class operation_kind {
  path,   // Method and path.
  route,  // The route's name.
  none,   // The key alone.
};

// ---- Fingerprint ---------------------------------------------------------------------------------------------------

enum class body_recipe {
  none,  // The body does not count.
  raw,
  json,       // Canonical: member order and white space do not count, number lexemes do.
  form,       // Fields in order, however they are escaped.
  multipart,  // Parts in order, whatever the boundary.
};

struct fingerprint_policy {
  bool enabled = true;
  body_recipe body = body_recipe::raw;
  std::vector<std::string> headers = {"Content-Type"};
  std::vector<std::string> include;  // JSON pointers: only these count. Needs body_recipe::json.
  std::vector<std::string> exclude;  // JSON pointers: these do not count. Needs body_recipe::json.
};

// ---- Outcomes ------------------------------------------------------------------------------------------------------

// What a complete answer of the upstream makes of the record.
enum class outcome_class {
  completed,
  released,
  unknown,
};

// Where a list comes from; later ones are more specific.
enum class rule_level : std::uint8_t {
  built_in,
  profile,
  defaults,
  route,
};

// Statuses (404) and classes of statuses (4xx), by number.
struct status_list {
  std::bitset<600> numbers;
  std::bitset<6> classes;
  rule_level level = rule_level::built_in;
};

// One list for each class; a more specific list replaces the one of its name. core/outcome.h says which list decides
// where several hold a status.
struct outcome_policy {
  status_list complete;
  status_list release;
  status_list unknown;
};

enum class unknown_policy {
  refuse,
  redispatch,  // The upstream deduplicates by the forwarded key: forward again.
  probe,       // Ask the upstream's status URL.
};

struct probe_policy {
  // Path and query of a GET to the upstream. `{key}` stands for the key, percent-encoded; `{/pointer}` for a string or
  // number of the JSON request body.
  std::string url;
  std::chrono::milliseconds timeout{2'000};
  std::chrono::milliseconds backoff{200};
  std::chrono::milliseconds backoff_max{2'000};
};

enum class store_failure_policy {
  refuse,
  pass,  // Forward unguarded, mark the response and count it.
};

enum class duplicate_policy {
  replay,
  conflict,  // 409 with the Location of the first result.
};

enum class mismatch_policy {
  refuse,
  new_operation,  // Another payload is another operation: the fingerprint is part of the record key.
};

// Fields of ours that tell a vendor's SDK whether to retry. Off unless a route asks for them.
struct retry_hint_policy {
  bool should_retry = false;         // x-should-retry
  bool stripe_should_retry = false;  // stripe-should-retry
  bool retry_after_ms = false;       // retry-after-ms
};

struct replay_policy {
  std::string marker = "Idempotent-Replayed";
  std::vector<std::string> dropped = {"Set-Cookie"};  // Not stored, beside the hop-by-hop fields.
  // Come back as Original-<name>.
  std::vector<std::string> renamed = {"Date", "X-Request-Id", "Request-Id", "X-Correlation-Id"};
};

// ---- The whole -----------------------------------------------------------------------------------------------------

struct policy {
  std::string name = "default";  // Of the route; names it in logs, metrics and operation_kind::route.
  std::vector<std::string> methods = {"POST", "PATCH"};  // Guarded ones; others pass through.
  key_policy key;
  scope_policy scope;
  operation_kind operation = operation_kind::path;
  fingerprint_policy fingerprint;
  outcome_policy outcomes;  // profile() fills it.
  replay_policy replay;

  std::chrono::milliseconds wait{10'000};
  std::chrono::milliseconds lease{30'000};
  std::chrono::milliseconds retention{24 * 3'600'000};
  std::chrono::milliseconds retention_tombstone{24 * 3'600'000};

  unknown_policy on_unknown = unknown_policy::refuse;
  probe_policy probe;
  store_failure_policy on_store_failure = store_failure_policy::refuse;
  duplicate_policy duplicate = duplicate_policy::replay;
  mismatch_policy on_mismatch = mismatch_policy::refuse;
  std::uint16_t mismatch_status = 422;   // 422, 409 or 400.
  std::uint16_t in_flight_status = 409;  // 409, 423, 425, 429 or 503.
  bool prefer_live_response = false;     // Where the store did not take the completion.
  retry_hint_policy retry_hints;

  std::size_t request_body_bytes_max = 1 << 20;  // Guarded requests: beyond it 413.
  std::size_t body_bytes_stored_max = 1 << 20;   // Responses: beyond it the tombstone alone is kept.
  bool unguarded_upgrades = true;                // Upgrades pass where no key guards the request.
};

// The policy that a named profile stands for: "default", "ietf", "stripe", "one-and-done", "light-4j". `not_found`
// otherwise.
result<policy> profile(std::string_view name);

std::span<const std::string_view> profile_names();

}  // namespace onceward::core
