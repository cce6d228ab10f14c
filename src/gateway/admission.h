// Whose request it is and which key it carries: what must be known, and be right, before a request is guarded.
#pragma once

#include <string_view>
#include <variant>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include "core/digest_memo.h"
#include "core/idempotency_key.h"
#include "core/problem.h"
#include "core/scope.h"
#include "core/secret.h"
#include "gateway/route_table.h"
#include "http/request_head.h"

namespace onceward::gateway {

// The proxies whose word on a caller's scope is taken.
class trusted_peers {
 public:
  // Addresses and networks; what is neither is left out.
  explicit trusted_peers(const std::vector<std::string>& texts);
  bool contain(std::string_view ip) const;

 private:
  std::vector<boost::asio::ip::network_v4> v4_;
  std::vector<boost::asio::ip::network_v6> v6_;
};

struct admitted {
  core::idempotency_key key;
  core::scope whose;
};

// A request without a key passes unguarded; one with a problem is refused.
using admission = std::variant<core::no_key, admitted, core::problem>;

// `body` is complete, or not yet there and the route does not read keys from bodies.
admission admit(const core::prepared_policy& rules, const core::deployment_secret& secret, core::digest_memo& digests,
                const trusted_peers& trusted, const http::request_head_view& head, std::string_view body,
                std::string_view peer_ip);

}  // namespace onceward::gateway
