// One connection to an upstream: in use by one call, or idle in the pool and watched for its end.
#pragma once

#include <cstddef>
#include <memory>

#include "base/bytes.h"
#include "base/time.h"
#include "http/head_reader.h"
#include "net/transport.h"

namespace onceward::gateway {

class upstream_pool;
struct upstream_endpoint;

// Whoever uses the connection now.
class upstream_connection_user {
 public:
  virtual void on_upstream_readable() = 0;
  virtual void on_upstream_writable() = 0;
  // As of net::transport_user.
  virtual bool still_sends() const = 0;
  virtual void on_withdrawn() = 0;

 protected:
  ~upstream_connection_user() = default;
};

// Owned by the pool, which destroys it in give_back() and discard(): who calls these does not touch it afterwards.
class upstream_connection final : private net::transport_user {
 public:
  upstream_connection(upstream_pool& pool, upstream_endpoint& where, std::unique_ptr<net::transport> made,
                      const http::head_limits& limits);
  upstream_connection(const upstream_connection&) = delete;
  upstream_connection& operator=(const upstream_connection&) = delete;
  ~upstream_connection() = default;

  net::transport& stream() { return *stream_; }
  base::byte_buffer& input() { return input_; }
  http::response_head_reader& heads() { return heads_; }

  // False for one that was made for its present user.
  bool reused() const { return reused_; }

  void set_user(upstream_connection_user& user) { user_ = &user; }

 private:
  friend class upstream_pool;

  void on_readable() override;
  void on_writable() override;
  void on_lost() override {}
  bool still_sends() const override { return user_ == nullptr || user_->still_sends(); }
  void on_withdrawn() override {
    if (user_ != nullptr) user_->on_withdrawn();
  }

  upstream_pool& pool_;
  upstream_endpoint& where_;
  std::unique_ptr<net::transport> stream_;
  base::byte_buffer input_;
  http::response_head_reader heads_;
  upstream_connection_user* user_ = nullptr;  // Null while idle.
  base::moment idle_since_{};
  bool reused_ = false;
  std::size_t place_ = 0;  // Among the connections of its endpoint.
};

}  // namespace onceward::gateway
