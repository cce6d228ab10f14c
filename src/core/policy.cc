#include "core/policy.h"

#include <array>
#include <initializer_list>

#include "base/assert.h"
#include "core/outcome.h"

namespace onceward::core {
namespace {

using namespace std::chrono_literals;

status_list profile_list(std::initializer_list<std::string_view> statuses) {
  status_list list;
  list.level = rule_level::profile;
  for (const std::string_view status : statuses)
    onceward_assert(add_statuses(list, status));
  return list;
}

policy default_profile() {
  policy rules;
  rules.outcomes = default_outcomes();
  return rules;
}

// As draft-ietf-httpapi-idempotency-key-header words it, with its immediate 409.
policy ietf_profile() {
  policy rules = default_profile();
  rules.key.syntax = key_syntax::strict;
  rules.key.presence = key_presence::required;
  rules.wait = 0ms;
  return rules;
}

// One key names one call of the whole API, errors of the server are final, and what was refused before the operation
// began (parameters, authentication, a lock, a rate limit) leaves no record.
policy stripe_profile() {
  policy rules = default_profile();
  rules.operation = operation_kind::none;
  rules.mismatch_status = 400;
  rules.outcomes.complete = profile_list({"2xx", "3xx", "4xx", "5xx"});
  rules.outcomes.release = profile_list({"400", "401", "403", "404", "405", "406", "407", "408", "409", "411", "413",
                                         "414", "415", "421", "422", "423", "425", "429"});
  return rules;
}

// As the API gateway plugin of that name.
policy one_and_done_profile() {
  policy rules = default_profile();
  rules.methods = {"POST", "PUT"};
  rules.operation = operation_kind::path;
  rules.mismatch_status = 400;
  rules.outcomes.complete = profile_list({"2xx", "3xx", "5xx"});
  rules.outcomes.release = profile_list({"4xx"});
  return rules;
}

policy light_4j_profile() {
  policy rules = default_profile();
  rules.key.header = "X-Traceability-Id";
  rules.key.echo = true;
  return rules;
}

struct named_profile {
  std::string_view name;
  policy (*make)();
};

constexpr std::array profiles = {
    named_profile{"default", default_profile},   named_profile{"ietf", ietf_profile},
    named_profile{"stripe", stripe_profile},     named_profile{"one-and-done", one_and_done_profile},
    named_profile{"light-4j", light_4j_profile},
};

constexpr auto names = [] {
  std::array<std::string_view, profiles.size()> all;
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i] = profiles[i].name;
  return all;
}();

}  // namespace

result<policy> profile(std::string_view name) {
  for (const named_profile& one : profiles) {
    if (one.name == name) return one.make();
  }
  return tl::unexpected(errc::not_found);
}

std::span<const std::string_view> profile_names() {
  return names;
}

}  // namespace onceward::core
