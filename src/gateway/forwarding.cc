#include "gateway/forwarding.h"

#include <cstdint>

namespace onceward::gateway {
namespace {

constexpr std::uint16_t http_port = 80;

// As a client would write it that was given the upstream's URL.
std::string authority_of(const upstream_address& upstream) {
  std::string text = upstream.host.find(':') == std::string::npos ? upstream.host : "[" + upstream.host + "]";
  if (upstream.port != http_port) text += ":" + std::to_string(upstream.port);
  return text;
}

}  // namespace

std::string host_if_none_is_named(const http::request_head_view& head, std::span<const upstream_address> upstreams) {
  if (!head.authority.empty()) return {};
  onceward_assert(!upstreams.empty());
  return authority_of(upstreams.front());
}

forwarding_view::forwarding_view(const http::request_head_view& head, std::string_view peer_ip,
                                 std::span<const upstream_address> upstreams)
    : host_(host_if_none_is_named(head, upstreams)) {
  using enum http::field_id;
  if (head.ids.has(x_forwarded_for)) {
    for (const http::field_view& field : head.fields) {
      if (field.id != x_forwarded_for) continue;
      if (!forwarded_for_.empty()) forwarded_for_ += ", ";
      forwarded_for_ += field.value;
    }
  }
  if (forwarded_for_.empty()) {
    add(x_forwarded_for, peer_ip);
  } else {
    drop(x_forwarded_for);
    forwarded_for_ += ", ";
    forwarded_for_ += peer_ip;
    add(x_forwarded_for, forwarded_for_);
  }
  if (!head.ids.has(x_forwarded_proto)) add(x_forwarded_proto, "http");
  if (!head.ids.has(x_forwarded_host) && !head.authority.empty()) add(x_forwarded_host, head.authority);
  add(via, head.version_minor == 0 ? "1.0 onceward" : "1.1 onceward");
}

}  // namespace onceward::gateway
