// The client's idempotency key: found in its field, in an alias or in the body, checked, and brought to the one form in
// which `"k"` and `k` are equal.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/field_name.h"
#include "core/json.h"
#include "core/policy.h"
#include "core/policy_error.h"
#include "core/problem.h"
#include "http/fields.h"

#include <tl/expected.hpp>

namespace re2 {
class RE2;
}

namespace onceward::core {

struct idempotency_key {
  std::string value;  // Canonical: without quotes, escapes and parameters. Printable ASCII, not empty.
};

// No key, and none is required.
struct no_key {};

// A problem is key_missing, key_forbidden, or key_invalid with a sentence that says what is wrong.
using key_reading = std::variant<no_key, idempotency_key, problem>;

// Reads the keys of requests by one route's rules. Constant; any thread.
class key_reader {
 public:
  // Refused: a name that is none, a pattern that is no regular expression, a pointer that is none, lengths that exclude
  // every key, more than the limits allow.
  static tl::expected<key_reader, policy_error> make(const key_policy& rules);

  // Whether the key may be in the body, so that read() needs it.
  bool reads_body() const { return pointer_.has_value(); }

  // `body` is the complete body; it is not looked at unless reads_body().
  key_reading read(http::fields_view fields, std::string_view body = {}) const;

  // Whether a field is one of those that carry the key.
  bool is_key_field(const http::field_view& field) const;

 private:
  key_reader() = default;
  key_reading checked(std::string key) const;

  key_policy rules_;
  std::vector<field_name> names_;  // The header, then its aliases.
  std::optional<json_pointer> pointer_;
  std::shared_ptr<const re2::RE2> pattern_;
};

// The form in which a key field goes to the upstream: its value as sent, or `key` with or without quotes. Appended to
// `out`.
void append_forwarded_key(std::string& out, key_forwarding form, std::string_view as_sent, std::string_view key);

}  // namespace onceward::core
