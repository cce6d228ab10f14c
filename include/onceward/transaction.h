// One transaction with the business data: what is common to every database that it can be done in.
//
// A service that owns its database needs no gap between what it did and the record that it did it. Inside a transaction
// of its own it asks begin() whether the request is new, runs its statements, hands the response to complete(), and
// commits: all of it is true, or none. docs/transaction.md has the recipe and what each failure means.
//
// Names of results follow the store port (onceward/store.h). Nothing here throws; values are plain and may be copied.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "onceward/identity.h"
#include "onceward/store.h"

#include <tl/expected.hpp>

namespace onceward::transaction {

// ---- Which record ---------------------------------------------------------------------------------------------------

struct field_view {
  std::string_view name;
  std::string_view value;
};

// The request as a gateway in front of this service would receive it. A service that has no HTTP puts the key and the
// principal into the fields that its rules name.
struct request_view {
  std::string_view method;  // "POST"
  std::string_view target;  // Path and query, as received.
  std::span<const field_view> fields;
  std::string_view body;
};

enum class operation_names { path, route, nothing };
enum class body_comparison { nothing, bytes, json, form, multipart };

// The rules of one route; equal ones in a gateway's configuration find the same records.
struct rules {
  std::string profile = "default";
  std::string route = "default";  // What the key names under operation_names::route.
  operation_names operation = operation_names::path;
  body_comparison body = body_comparison::bytes;
  std::string scope_header = {};  // The one field that says whose request it is; empty: the credentials do.

  std::chrono::milliseconds lock_wait{10'000};  // How long begin() waits for a transaction with the same key. >= 1 ms.
  std::chrono::milliseconds lease{30'000};      // How long a run of several phases may take for one of them. >= 1 ms.
  std::chrono::milliseconds retention{24 * 3'600'000};
};

// Names the record of one request, and tells this request from another with the same key.
struct identity {
  record_key key;
  shared_bytes fingerprint;  // Never null where it came from identify().
};

// Constant; any thread.
class identifier {
 public:
  // `secret` is the deployment secret, as bytes. The error is a sentence that names the rule.
  static tl::expected<identifier, std::string> make(std::string_view secret, const rules& chosen);

  // The error is a sentence for the client: no idempotency key, or one that breaks the rules, or no principal where one
  // is needed.
  tl::expected<identity, std::string> identify(const request_view& request) const;

  // The idempotency key for a call to somebody else, made while the request is run: the same for every attempt of the
  // request, and another for each call site and ordinal. 32 hexadecimal digits.
  std::string child_key(const identity& parent, std::string_view call_site, std::uint32_t ordinal = 0) const;

  struct prepared;
  const prepared& details() const { return *prepared_; }

 private:
  std::shared_ptr<const prepared> prepared_;
};

// ---- The answer -----------------------------------------------------------------------------------------------------

struct field {
  std::string name;
  std::string value;
  friend bool operator==(const field&, const field&) = default;
};

struct response {
  int status = 0;  // 200 to 599.
  std::vector<field> fields;
  std::string body;
  friend bool operator==(const response&, const response&) = default;
};

// ---- What begin() finds ---------------------------------------------------------------------------------------------

// The request is this transaction's to run.
struct run {
  identity who;
  attempt_id attempt;
  std::uint32_t attempt_number = 1;
  fence token{};            // Larger than that of every run before it.
  std::uint32_t phase = 0;  // How many phases were committed before.
  std::string state;        // What the last of them saved; empty before the first.
};

// It was run; this is its answer. `body_kept` is false where the record has no more than status and Location.
struct replayed {
  response answer;
  bool body_kept = true;
};

// Another transaction has the key for longer than rules::lock_wait (no `lease_left`), or somebody has a lease on it.
struct in_flight {
  std::chrono::milliseconds lease_left{0};
};

// The key was used for another request. Nothing was changed.
struct mismatch {
  std::vector<std::string> differing;  // "method", "target", "body", "body /amount", …
};

// Somebody ran it outside a transaction (a gateway, for example), and nobody knows how it ended.
struct unknown {
  wall_time since;
};

enum class failure_kind {
  run_again,        // A serialisation failure or a deadlock: roll back, and run the whole transaction again.
  aborted,          // The transaction failed before: it can only be rolled back, and nothing of it will be true.
  fenced,           // The record is not this attempt's any more: roll back, and begin again.
  refused,          // It cannot be done; the message says why. Roll back; nothing of it will be true.
  connection_lost,  // Before the commit was sent: definite, nothing of it is true.
  commit_unknown,   // While the commit was under way: indefinite. Begin again with the same key to learn.
};

std::string_view to_string(failure_kind kind);

struct failure {
  failure_kind kind;
  std::string message;  // For people; without values of the request.
  std::string code =
      {};  // SQLSTATE, or SQLite's extended result code; empty where it was not the database that failed.
};

using begun = std::variant<run, replayed, in_flight, mismatch, unknown, failure>;
using done = tl::expected<void, failure>;

// ---- The outbox -----------------------------------------------------------------------------------------------------

// A message that is to be sent if and only if the transaction commits. Delivered at least once: whoever receives it
// tells copies apart by `id`.
struct outbox_message {
  std::int64_t id;
  std::string topic;
  std::string payload;
};

// Beyond these: failure_kind::refused.
inline constexpr std::size_t state_bytes_max = 1 << 20;
inline constexpr std::size_t outbox_payload_bytes_max = 1 << 20;
inline constexpr std::size_t outbox_batch_max = 1'000;

}  // namespace onceward::transaction
