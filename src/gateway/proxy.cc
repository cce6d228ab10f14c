#include "gateway/proxy.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "gateway/answers.h"

namespace onceward::gateway {
namespace {

bool guards(const core::policy& rules, std::string_view method) {
  return std::find(rules.methods.begin(), rules.methods.end(), method) != rules.methods.end();
}

bool has_key_field(const core::prepared_policy& rules, http::fields_view fields) {
  return std::any_of(fields.begin(), fields.end(),
                     [&](const http::field_view& field) { return rules.keys.is_key_field(field); });
}

}  // namespace

proxy::proxy(worker_tools& tools, local_handler* lookup, recycler<local_request>& locals)
    : tools_(tools),
      lookup_(lookup),
      trusted_(tools.config.trusted_peers),
      locals_(locals),
      relays_([this] { return std::make_unique<relay>(tools_, relays_); }),
      guarded_([this] { return std::make_unique<guarded_exchange>(tools_, trusted_, guarded_); }) {}

bool proxy::is_reserved(std::string_view path) const {
  return lookup_ != nullptr && path.starts_with(tools_.config.lookup_prefix);
}

std::optional<request_dispatcher::accepted> proxy::dispatch(connection& from, const http::request_head_view& head) {
  if (head.verb == http::method_id::connect || head.verb == http::method_id::trace) {
    from.refuse(http_problem(501, "method-not-supported", "This server does not take the methods CONNECT and TRACE."));
    return std::nullopt;
  }
  if (is_reserved(head.path)) {
    local_request& taken = locals_.take();
    taken.begin(from, head, *lookup_);
    return accepted{&taken, local_request::body_bytes_max};
  }
  const auto route = tools_.routes.match(head.method, head.path);
  if (!route) {
    tools_.counts.requests_ambiguous.add();
    from.refuse(http_problem(400, "ambiguous-path",
                             "The path can be read in more than one way, and routes differ in what they make of it."));
    return std::nullopt;
  }
  if (guards(route->rules->rules, head.method)) return guard(from, head, *route);
  const bool has_body = !std::holds_alternative<http::no_body>(head.framing);
  if (has_body && (head.verb == http::method_id::get || head.verb == http::method_id::head) &&
      has_key_field(*route->rules, head.fields)) {
    from.refuse(http_problem(400, "bad-request", "A request of this method with an idempotency key has no body."));
    return std::nullopt;
  }
  return relay_request(from, head, *route);
}

request_dispatcher::accepted proxy::relay_request(connection& from, const http::request_head_view& head,
                                                  const route_match& route) {
  relay& taken = relays_.take();
  taken.begin(from, head, route);
  return {&taken, tools_.config.limits.unguarded_body_bytes_max};
}

std::optional<request_dispatcher::accepted> proxy::guard(connection& from, const http::request_head_view& head,
                                                         const route_match& route) {
  const core::prepared_policy& rules = *route.rules;
  std::optional<admitted> who;
  if (!rules.keys.reads_body()) {
    admission found = admit(rules, tools_.secret, tools_.digests, trusted_, head, {}, from.peer_ip());
    if (std::holds_alternative<core::no_key>(found)) return relay_request(from, head, route);
    if (const auto* wrong = std::get_if<core::problem>(&found)) {
      from.refuse(*wrong, {.hints = &rules.rules.retry_hints});
      return std::nullopt;
    }
    who = std::move(std::get<admitted>(found));
  }
  guarded_exchange& taken = guarded_.take();
  taken.begin(from, head, route, std::move(who));
  return accepted{&taken, rules.rules.request_body_bytes_max};
}

void proxy::drain_waiters() {
  guarded_.for_each([](guarded_exchange& each) { each.drain(); });
}

}  // namespace onceward::gateway
