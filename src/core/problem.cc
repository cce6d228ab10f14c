#include "core/problem.h"

#include <array>
#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "http/writer.h"

namespace onceward::core {
namespace {

using enum problem_type;
using enum problem_retry;
using enum problem_new_key;

// In the order of problem_type. The titles and details of key_missing, mismatch and in_flight are those of
// draft-ietf-httpapi-idempotency-key-header.
constexpr std::array<problem_description, 18> published = {{
    {key_missing, "key-missing", 400, never, safe, false, "Idempotency-Key is missing",
     "This operation is idempotent and it requires correct usage of Idempotency Key."},
    {key_invalid, "key-invalid", 400, never, safe, false, "Idempotency-Key is not valid",
     "The idempotency key of this request cannot be read."},
    {key_forbidden, "key-forbidden", 400, never, safe, false, "Idempotency-Key is not accepted here",
     "This operation takes no idempotency key. Send the request without one."},
    {credential_missing, "credential-missing", 400, never, safe, false, "A credential is required",
     "An idempotency key belongs to its caller, and nothing in this request says who that is."},
    {mismatch, "mismatch", 422, never, safe, false, "Idempotency-Key is already used",
     "This operation is idempotent and it requires correct usage of Idempotency Key. Idempotency Key MUST not be "
     "reused across different payloads of this operation."},
    {in_flight, "in-flight", 409, always, unsafe, true, "A request is outstanding for this Idempotency-Key",
     "A request with the same Idempotency-Key for the same operation is being processed or is outstanding."},
    {outcome_unknown, "outcome-unknown", 409, if_unknown_is_resolved, unsafe, false, "The outcome is unknown",
     "An earlier request with this Idempotency-Key may have taken effect, but its outcome was not learned. It is not "
     "run again."},
    {result_gone, "result-gone", 409, never, unsafe, false, "The response is no longer kept",
     "The operation was completed by an earlier request with this Idempotency-Key; the response to it is not kept. It"
     " is not run again."},
    {duplicate, "duplicate", 409, never, unsafe, false, "The operation was already completed",
     "An earlier request with this Idempotency-Key completed the operation. It is not run again."},
    {upstream_unreachable, "upstream-unreachable", 502, always, safe, false, "The upstream cannot be reached",
     "Nothing of this request reached the upstream, so the operation did not run."},
    {upstream_failed, "upstream-failed", 502, if_unknown_is_resolved, unsafe, false,
     "The upstream gave no complete answer",
     "The request was sent to the upstream, but no complete answer came back. The operation may have taken effect."},
    {upstream_timeout, "upstream-timeout", 504, if_unknown_is_resolved, unsafe, false,
     "The upstream did not answer in time",
     "The request was sent to the upstream, but no answer came in time. The operation may have taken effect."},
    {store_unavailable, "store-unavailable", 503, always, safe_if_absent, true, "The record store is unavailable",
     "Whether this Idempotency-Key was used before cannot be looked up now. Nothing was sent to the upstream."},
    {not_recorded, "not-recorded", 503, always, unsafe, true, "The outcome could not be recorded",
     "The upstream answered, but its answer could not be recorded and is withheld, because a retry might not get the "
     "same. Send the same request again."},
    {overloaded, "overloaded", 503, always, safe_if_absent, true, "Too many requests",
     "A limit of this server was reached. This request did not run the operation."},
    {draining, "draining", 503, always, safe_if_absent, true, "The server is shutting down",
     "This server takes no new requests, and this one did not run the operation."},
    {not_found, "not-found", 404, never, safe_if_absent, false, "There is no stored response",
     "No response is stored for this Idempotency-Key and this caller."},
    {http, "", 400, never, safe, false, "", "This is not a request that the server accepts."},
}};

static_assert([] {
  for (std::size_t i = 0; i < published.size(); ++i) {
    if (static_cast<std::size_t>(published[i].type) != i) return false;
  }
  return published.back().type == problem_type::http;
}());

const problem_description& describe(problem_type type) {
  return published[static_cast<std::size_t>(type)];
}

std::uint16_t status_under(const problem_description& row, const policy& rules) {
  if (row.type == mismatch) return rules.mismatch_status;
  if (row.type == in_flight) return rules.in_flight_status;
  return row.status;
}

bool is_retryable(problem_retry when, const policy& rules) {
  switch (when) {
    case never:
      return false;
    case always:
      return true;
    case if_unknown_is_resolved:
      return rules.on_unknown != unknown_policy::refuse;
  }
  return false;
}

bool is_new_key_safe(problem_new_key when, operation_state state) {
  switch (when) {
    case safe:
      return true;
    case unsafe:
      return false;
    case safe_if_absent:
      return state == operation_state::absent || state == operation_state::released;
  }
  return false;
}

std::string_view title_of(const problem& what) {
  if (what.type == problem_type::http) return http::reason_of(what.status);
  return describe(what.type).title;
}

}  // namespace

problem make_problem(problem_type type, const policy& rules, operation_state state) {
  const problem_description& row = describe(type);
  return {.type = type,
          .status = status_under(row, rules),
          .state = state,
          .retryable = is_retryable(row.retry, rules),
          .new_key_safe = is_new_key_safe(row.new_key, state),
          .wants_retry_after = row.wants_retry_after};
}

std::string_view type_word(const problem& what) {
  return what.type == problem_type::http ? std::string_view(what.word) : describe(what.type).word;
}

std::string_view to_string(operation_state state) {
  switch (state) {
    case operation_state::absent:
      return "absent";
    case operation_state::in_flight:
      return "in-flight";
    case operation_state::completed:
      return "completed";
    case operation_state::released:
      return "released";
    case operation_state::unknown:
      return "unknown";
  }
  return "unknown";
}

std::string type_uri(const problem& what) {
  std::string uri = "urn:onceward:problem:";
  uri += type_word(what);
  return uri;
}

std::string problem_document(const problem& what) {
  nlohmann::ordered_json document = {
      {"type", type_uri(what)},
      {"title", title_of(what)},
      {"status", what.status},
      {"detail", what.detail.empty() ? describe(what.type).detail : std::string_view(what.detail)},
      {"operation_state", to_string(what.state)},
      {"retryable", what.retryable},
      {"new_key_safe", what.new_key_safe},
  };
  if (!what.differs.empty()) document["differs"] = what.differs;
  // RFC 9457 reserves the member `status` for the status of the document's own response.
  if (what.result_status) document["result"]["status"] = *what.result_status;
  if (!what.result_location.empty()) document["result"]["location"] = what.result_location;
  // Some SDKs take a body without this member for a success, whatever the status: Stripe's, for one.
  document["error"] = {{"type", "idempotency_error"}, {"code", type_word(what)}, {"message", document["detail"]}};
  // A Location may hold bytes that are no UTF-8; JSON may not.
  return document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::span<const problem_description> problem_descriptions() {
  return std::span(published).first(published.size() - 1);
}

}  // namespace onceward::core
