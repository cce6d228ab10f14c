#include "gateway/tunnel.h"

#include <utility>

namespace onceward::gateway {

tunnel::tunnel(worker_tools& tools, net::transport& client, net::transport& upstream, std::string_view from_client,
               std::string_view from_upstream, std::function<void()> on_over)
    : tools_(tools),
      client_(*this, client),
      upstream_(*this, upstream),
      on_over_(std::move(on_over)),
      idle_(tools.loop, [this] { over(); }) {
  client_.unsent.append(from_upstream);
  upstream_.unsent.append(from_client);
}

void tunnel::start() {
  touch();
  client_.stream.set_user(&client_);
  upstream_.stream.set_user(&upstream_);
  // Sending what is there goes on to receiving; asking for both first keeps a side that has ended from being missed.
  client_.stream.await_readable();
  upstream_.stream.await_readable();
  if (!client_.unsent.empty()) client_.stream.await_writable();
  if (!upstream_.unsent.empty()) upstream_.stream.await_writable();
}

void tunnel::touch() {
  idle_.arm(tools_.loop.now() + tools_.config.timeouts.tunnel_idle);
}

// Receives only what the other side can take: a side with bytes waiting is not received for.
void tunnel::move(side& from, side& to) {
  if (!to.unsent.empty() || from.ended) return;
  tools_.buffers.equip(to.unsent);
  const net::transfer got = from.stream.receive(to.unsent.prepare(buffer_shelf::buffer_bytes));
  if (got.status == net::transfer_status::failed) return over();
  if (got.status == net::transfer_status::ended) {
    from.ended = true;
    tools_.buffers.put_back(to.unsent);
    if (to.ended) return over();
    return to.stream.end_sending();
  }
  if (got.status == net::transfer_status::would_block) {
    tools_.buffers.put_back(to.unsent);
    return from.stream.await_readable();
  }
  to.unsent.commit(got.bytes);
  send(to);
}

void tunnel::send(side& to) {
  while (!to.unsent.empty()) {
    const net::transfer moved = to.stream.send(to.unsent.readable());
    if (moved.status == net::transfer_status::would_block) return to.stream.await_writable();
    if (moved.status != net::transfer_status::moved) return over();
    to.unsent.consume(moved.bytes);
    touch();
  }
  tools_.buffers.put_back(to.unsent);
  side& from = other(to);
  if (!from.ended) from.stream.await_readable();
}

void tunnel::over() {
  const auto done = std::move(on_over_);
  done();
}

}  // namespace onceward::gateway
