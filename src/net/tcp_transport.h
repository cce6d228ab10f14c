// The transport over a TCP socket.
#pragma once

#include <memory>

#include "net/address.h"
#include "net/loop.h"
#include "net/transport.h"

namespace onceward::net {

// Over a socket that is connected and does not block, which it closes in the end. Null, with the socket closed, if the
// kernel has no room to watch it.
std::unique_ptr<transport> make_tcp_transport(loop& owner, int descriptor, const address& peer);

}  // namespace onceward::net
