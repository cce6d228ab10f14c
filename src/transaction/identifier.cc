#include <utility>
#include <variant>
#include <vector>

#include "base/hex.h"
#include "core/keyed_digest.h"
#include "core/record_key.h"
#include "transaction/answers.h"

namespace onceward::transaction {
namespace {

using refusal = tl::unexpected<std::string>;

constexpr std::size_t child_key_bytes = 16;

core::operation_kind kind_of(operation_names names) {
  switch (names) {
    case operation_names::path:
      return core::operation_kind::path;
    case operation_names::route:
      return core::operation_kind::route;
    case operation_names::nothing:
      return core::operation_kind::none;
  }
  return core::operation_kind::path;
}

core::body_recipe recipe_of(body_comparison body) {
  switch (body) {
    case body_comparison::nothing:
      return core::body_recipe::none;
    case body_comparison::bytes:
      return core::body_recipe::raw;
    case body_comparison::json:
      return core::body_recipe::json;
    case body_comparison::form:
      return core::body_recipe::form;
    case body_comparison::multipart:
      return core::body_recipe::multipart;
  }
  return core::body_recipe::raw;
}

std::string_view text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

tl::expected<identifier, std::string> identifier::make(std::string_view secret, const rules& chosen) {
  if (secret.empty()) return refusal("the deployment secret is empty");
  if (chosen.lock_wait.count() < 1) return refusal("lock_wait must be a millisecond or more");
  if (chosen.lease.count() < 1) return refusal("lease must be a millisecond or more");
  if (chosen.retention.count() < 1) return refusal("retention must be a millisecond or more");
  auto policy = core::profile(chosen.profile);
  if (!policy) return refusal("there is no profile " + chosen.profile);
  policy->name = chosen.route;
  policy->operation = kind_of(chosen.operation);
  policy->fingerprint.body = recipe_of(chosen.body);
  policy->lease = chosen.lease;
  policy->retention = chosen.retention;
  policy->retention_tombstone = chosen.retention;
  if (!chosen.scope_header.empty()) {
    policy->scope.kind = core::scope_kind::header;
    policy->scope.header = chosen.scope_header;
  }
  auto ready = core::prepare(std::move(*policy));
  if (!ready) return refusal(ready.error().setting + ": " + ready.error().message);
  identifier made;
  made.prepared_ =
      std::make_shared<const prepared>(prepared{core::deployment_secret(secret), std::move(*ready), chosen.lock_wait});
  return made;
}

tl::expected<identity, std::string> identifier::identify(const request_view& request) const {
  const core::prepared_policy& policy = prepared_->policy;
  std::vector<http::field_view> fields;
  fields.reserve(request.fields.size());
  for (const field_view& each : request.fields)
    fields.push_back(http::make_field(each.name, http::trimmed(each.value)));
  core::key_reading reading = policy.keys.read(fields, request.body);
  if (const auto* wrong = std::get_if<core::problem>(&reading)) return refusal(wrong->detail);
  const auto* key = std::get_if<core::idempotency_key>(&reading);
  if (key == nullptr) return refusal("The request has no " + policy.rules.key.header + ".");
  const core::scope whose = policy.scopes.read(prepared_->secret, fields);
  if (whose.anonymous && (policy.scopes.credential_required() || policy.rules.scope.kind == core::scope_kind::header)) {
    return refusal("The request does not say whose it is.");
  }
  shared_bytes fingerprint =
      core::make_fingerprint(prepared_->secret, policy.recipe, request.method, request.target, fields, request.body);
  const std::string_view path = request.target.substr(0, request.target.find('?'));
  const bool names_payload = policy.rules.on_mismatch == core::mismatch_policy::new_operation;
  const record_key named =
      core::make_record_key(prepared_->secret, whose, core::operation_of(policy.rules, request.method, path),
                            key->value, names_payload ? std::string_view(*fingerprint) : std::string_view{});
  return identity{named, std::move(fingerprint)};
}

std::string identifier::child_key(const identity& parent, std::string_view call_site, std::uint32_t ordinal) const {
  core::keyed_digest digest(prepared_->secret, core::digest_use::child_key);
  digest.part(text(parent.key.bytes));
  digest.part(call_site);
  digest.length(ordinal);
  const base::sha256_digest all = digest.finish();
  return base::to_hex(std::span(all).first(child_key_bytes));
}

}  // namespace onceward::transaction
