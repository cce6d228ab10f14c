#include "gateway/admission.h"

#include <algorithm>
#include <string>
#include <utility>

namespace onceward::gateway {
namespace {

namespace ip = boost::asio::ip;

core::problem credential_missing(const core::policy& rules, std::string_view detail = {}) {
  core::problem what = core::make_problem(core::problem_type::credential_missing, rules, core::operation_state::absent);
  what.detail = detail;
  return what;
}

}  // namespace

trusted_peers::trusted_peers(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    const bool is_network = text.find('/') != std::string::npos;
    boost::system::error_code error;
    const auto v4 = ip::make_network_v4(is_network ? text : text + "/32", error);
    if (!error) {
      v4_.push_back(v4.canonical());
      continue;
    }
    const auto v6 = ip::make_network_v6(is_network ? text : text + "/128", error);
    if (!error) v6_.push_back(v6.canonical());
  }
}

bool trusted_peers::contain(std::string_view text) const {
  boost::system::error_code error;
  ip::address who = ip::make_address(text, error);
  if (error) return false;
  if (who.is_v6() && who.to_v6().is_v4_mapped()) who = ip::make_address_v4(ip::v4_mapped, who.to_v6());
  const auto holds = [&](const auto& network, const auto& address) {
    using network_type = std::decay_t<decltype(network)>;
    return network_type(address, network.prefix_length()).canonical() == network;
  };
  if (who.is_v4()) return std::ranges::any_of(v4_, [&](const auto& each) { return holds(each, who.to_v4()); });
  return std::ranges::any_of(v6_, [&](const auto& each) { return holds(each, who.to_v6()); });
}

admission admit(const core::prepared_policy& rules, const core::deployment_secret& secret, core::digest_memo& digests,
                const trusted_peers& trusted, const http::request_head_view& head, std::string_view body,
                std::string_view peer_ip) {
  core::key_reading reading = rules.keys.read(head.fields, body);
  if (std::holds_alternative<core::no_key>(reading)) return core::no_key{};
  if (auto* wrong = std::get_if<core::problem>(&reading)) return std::move(*wrong);

  // Whoever is not trusted could choose another's scope, and must not share one with others who are not either.
  if (rules.rules.scope.kind == core::scope_kind::header && !trusted.contain(peer_ip)) {
    return credential_missing(rules.rules, "This peer is not trusted to say whose request this is.");
  }
  const core::scope whose = rules.scopes.read(secret, head.fields, &digests);
  if (whose.anonymous && rules.scopes.credential_required()) return credential_missing(rules.rules);
  return admitted{std::move(std::get<core::idempotency_key>(reading)), whose};
}

}  // namespace onceward::gateway
