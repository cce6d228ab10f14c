#include "gateway/upstream_connection.h"

#include <utility>

#include "base/assert.h"
#include "gateway/upstream_pool.h"

namespace onceward::gateway {

upstream_connection::upstream_connection(upstream_pool& pool, upstream_endpoint& where,
                                         std::unique_ptr<net::transport> made, const http::head_limits& limits)
    : pool_(pool), where_(where), stream_(std::move(made)), heads_(limits) {
  stream_->set_user(this);
}

void upstream_connection::on_readable() {
  // Bytes or the end of a connection that nobody uses: either way nobody can use it any more.
  if (user_ == nullptr) return pool_.discard(*this);
  user_->on_upstream_readable();
}

void upstream_connection::on_writable() {
  if (user_ != nullptr) user_->on_upstream_writable();
}

}  // namespace onceward::gateway
