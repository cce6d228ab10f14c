// A connection that speaks another protocol after 101: bytes pass both ways, unread, until both sides have ended.
#pragma once

#include <functional>

#include "base/bytes.h"
#include "gateway/worker_tools.h"
#include "net/deadline.h"
#include "net/transport.h"

namespace onceward::gateway {

class tunnel {
 public:
  // Both streams are borrowed until `on_over`, which is the last that happens and may destroy this object.
  // `from_client` and `from_upstream` are bytes that were received before.
  tunnel(worker_tools& tools, net::transport& client, net::transport& upstream, std::string_view from_client,
         std::string_view from_upstream, std::function<void()> on_over);
  tunnel(const tunnel&) = delete;
  tunnel& operator=(const tunnel&) = delete;

  // Becomes the user of both streams.
  void start();

 private:
  // One of the two streams, and what waits to be sent to it.
  struct side final : net::transport_user {
    side(tunnel& owner, net::transport& over) : whole(owner), stream(over) {}
    void on_readable() override { whole.move(*this, whole.other(*this)); }
    void on_writable() override { whole.send(*this); }
    void on_lost() override {}

    tunnel& whole;
    net::transport& stream;
    base::byte_buffer unsent;
    bool ended = false;  // It sends no more.
  };

  side& other(const side& one) { return &one == &client_ ? upstream_ : client_; }
  void move(side& from, side& to);
  void send(side& to);
  void touch();
  void over();

  worker_tools& tools_;
  side client_;
  side upstream_;
  std::function<void()> on_over_;
  net::deadline idle_;
};

}  // namespace onceward::gateway
