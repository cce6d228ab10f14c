// How a request goes on to the upstream: what a proxy adds to its head and what it takes out.
//
// Added: Via; the client's address at the end of X-Forwarded-For; X-Forwarded-Proto and X-Forwarded-Host, unless
// somebody before us has said. Host stays the client's; where it names none, as HTTP/1.0 allows, it is the upstream's.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "gateway/settings.h"
#include "http/fields.h"
#include "http/request_head.h"
#include "http/writer.h"

namespace onceward::gateway {

// What goes on as Host where the client has named none: the first upstream, whichever of them will be asked, so that
// they are all asked for the same. Empty where the client has named one. `upstreams` has at least one.
std::string host_if_none_is_named(const http::request_head_view& head, std::span<const upstream_address> upstreams);

// Borrows from the head and from everything added, until the head has been written.
class forwarding_view {
 public:
  forwarding_view(const http::request_head_view& head, std::string_view peer_ip,
                  std::span<const upstream_address> upstreams);
  forwarding_view(const forwarding_view&) = delete;
  forwarding_view& operator=(const forwarding_view&) = delete;

  void add(std::string_view name, std::string_view value) {
    onceward_assert(added_ < extra_.size());
    extra_[added_++] = http::make_field(name, value);
  }
  // Every field of that name.
  void drop(std::string_view name) {
    onceward_assert(dropped_ < drop_.size());
    drop_[dropped_++] = name;
  }

  http::request_forwarding with(const http::body_framing& framing) const {
    return {.host = host_, .framing = framing, .extra = {extra_.data(), added_}, .drop = {drop_.data(), dropped_}};
  }

 private:
  static constexpr std::size_t fields_max = 32;

  std::array<http::field_view, fields_max> extra_;
  std::array<std::string_view, fields_max> drop_;
  std::size_t added_ = 0;
  std::size_t dropped_ = 0;
  std::string forwarded_for_;
  std::string host_;  // Empty: the client's.
};

}  // namespace onceward::gateway
