// The transport over a TCP socket.
#pragma once

#include <memory>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "net/address.h"
#include "net/loop.h"
#include "net/transport.h"

namespace onceward::net {

// With the concrete executor: a type-erased one costs an allocation for each wait.
using tcp_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

// `socket` is connected and does not block.
std::unique_ptr<transport> make_tcp_transport(loop& owner, tcp_socket socket, const address& peer);

}  // namespace onceward::net
