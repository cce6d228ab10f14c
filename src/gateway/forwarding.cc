#include "gateway/forwarding.h"

#include <cstdint>

namespace onceward::gateway {
namespace {

constexpr std::string_view forwarded_for = "X-Forwarded-For";
constexpr std::string_view forwarded_proto = "X-Forwarded-Proto";
constexpr std::string_view forwarded_host = "X-Forwarded-Host";

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
  bool has_proto = false;
  bool has_host = false;
  for (const http::field_view& field : head.fields) {
    // The three are as long as nothing else that is common.
    if (field.id != http::field_id::other || field.name.size() < forwarded_for.size()) continue;
    if (http::names_equal(field.name, forwarded_for)) {
      if (!forwarded_for_.empty()) forwarded_for_ += ", ";
      forwarded_for_ += field.value;
    }
    has_proto = has_proto || http::names_equal(field.name, forwarded_proto);
    has_host = has_host || http::names_equal(field.name, forwarded_host);
  }
  if (forwarded_for_.empty()) {
    add(forwarded_for, peer_ip);
  } else {
    drop(forwarded_for);
    forwarded_for_ += ", ";
    forwarded_for_ += peer_ip;
    add(forwarded_for, forwarded_for_);
  }
  if (!has_proto) add(forwarded_proto, "http");
  if (!has_host && !head.authority.empty()) add(forwarded_host, head.authority);
  add("Via", head.version_minor == 0 ? "1.0 onceward" : "1.1 onceward");
}

}  // namespace onceward::gateway
