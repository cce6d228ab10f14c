// How a request goes on to the upstream: what a proxy adds to its head and what it takes out.
//
// Added: Via; the client's address at the end of X-Forwarded-For; X-Forwarded-Proto and X-Forwarded-Host, unless
// somebody before us has said. Host stays the client's; where it names none, as HTTP/1.0 allows, it is the upstream's.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/inplace_vector.h"
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

  void add(http::field_id name, std::string_view value) { extra_.emplace_back(http::make_field(name, value)); }
  // In place of a field of the head, under the name that it has there.
  void replace(const http::field_view& field, std::string_view value) {
    drop_.add(field);
    extra_.emplace_back(field.name, value, field.id);
  }
  // Every field of that name.
  void drop(http::field_id name) { drop_.add(name); }

  // borrows: from this object, too.
  http::request_forwarding with(const http::body_framing& framing) const {
    return {.host = host_, .framing = framing, .extra = {extra_.begin(), extra_.size()}, .drop = &drop_};
  }

 private:
  static constexpr std::size_t fields_max = 32;

  base::inplace_vector<http::field_view, fields_max> extra_;
  http::field_name_set drop_;
  std::string forwarded_for_;
  std::string host_;  // Empty: the client's.
};

}  // namespace onceward::gateway
