// Decides whether a duplicate is the same request as the first, and names what differs if it is not, without keeping
// any value of either.
//
// A fingerprint is a short byte string: the version and the recipe, then labelled parts (method, target, each selected
// header, the body; for JSON and forms each member), each a keyed digest cut to 16 bytes. Stored as it is; its form is
// on the page docs/record-format.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "core/field_name.h"
#include "core/json.h"
#include "core/keyed_digest.h"
#include "core/policy.h"
#include "core/policy_error.h"
#include "core/secret.h"
#include "http/fields.h"
#include "onceward/store.h"

namespace onceward::core {

// A route's fingerprint rules, prepared. Constant; any thread.
class fingerprint_recipe {
 public:
  // Refused: a name that is none, a pointer that is none, pointers without body_recipe::json, more than the limits
  // allow.
  static tl::expected<fingerprint_recipe, policy_error> make(const fingerprint_policy& rules);

 private:
  friend class fingerprint_builder;
  friend shared_bytes make_fingerprint(const deployment_secret&, const fingerprint_recipe&, std::string_view,
                                       std::string_view, http::fields_view, std::string_view);
  fingerprint_recipe() = default;

  bool enabled_ = true;
  body_recipe body_ = body_recipe::raw;
  std::vector<field_name> headers_;  // In the order of their names, each once.
  std::vector<json_pointer> include_;
  std::vector<json_pointer> exclude_;
  std::uint32_t id_ = 0;  // Differs where two recipes differ.
};

// Takes a request as it arrives: head() once, then body() for each piece, then finish(). Under body_recipe::raw nothing
// is kept of the body; under the others it is copied until finish().
class fingerprint_builder {
 public:
  // Both are borrowed until finish().
  fingerprint_builder(const deployment_secret& secret, const fingerprint_recipe& recipe, digest_memo* memo = nullptr);

  // `target` is path and query, as received.
  void head(std::string_view method, std::string_view target, http::fields_view fields);
  void body(std::string_view piece);
  shared_bytes finish();

 private:
  friend shared_bytes make_fingerprint(const deployment_secret&, const fingerprint_recipe&, std::string_view,
                                       std::string_view, http::fields_view, std::string_view);
  void add_part(char kind, std::string_view name, base::sha256_digest digest);
  void add_text(char kind, std::string_view name, std::string_view text, digest_memo* memo = nullptr);
  void add_header(const field_name& name, http::fields_view fields);
  void add_structured_body(std::string_view body);
  shared_bytes take();

  const deployment_secret& secret_;
  const fingerprint_recipe& recipe_;
  digest_memo* const memo_;
  std::string parts_;
  std::string content_type_;  // Of the form and multipart recipes.
  keyed_digest raw_body_;
  std::string body_;
};

// The whole at once, without a copy of the body. About 1 µs for the default recipe.
shared_bytes make_fingerprint(const deployment_secret& secret, const fingerprint_recipe& recipe,
                              std::string_view method, std::string_view target, http::fields_view fields,
                              std::string_view body);

// Whether `presented` is a retry of the request whose fingerprint is stored. A request whose route compares nothing is
// the same as any; otherwise all bytes decide, so that a changed recipe is a mismatch and not a guess.
bool same_request(std::string_view stored, std::string_view presented);

// The labels of what differs, for people: "method", "target", "header content-type", "body", "body /amount". "recipe"
// where the route's rules changed in between, beside what can be compared all the same. Never empty when same_request()
// is false. Total on any bytes.
std::vector<std::string> differing_parts(std::string_view stored, std::string_view presented);

}  // namespace onceward::core
