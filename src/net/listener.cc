#include "net/listener.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/basic_socket_acceptor.hpp>

#include "base/assert.h"
#include "net/deadline.h"
#include "net/tcp_transport.h"

namespace onceward::net {
namespace {

using acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

// Connections taken at once, before others of the loop have their turn.
constexpr int accept_batch = 64;

// How long to leave the queue alone when the process has no descriptor left.
constexpr std::chrono::milliseconds exhausted_pause{50};

errc reason_of(const boost::system::error_code& error) {
  if (error == boost::asio::error::address_in_use) return errc::busy;
  if (error == boost::system::errc::address_not_available) return errc::invalid;
  return errc::io;
}

bool is_exhausted(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

struct listener::state : std::enable_shared_from_this<listener::state> {
  explicit state(loop& owner) : on(owner), socket(owner.context().get_executor()), pause(owner, [this] { await(); }) {}

  void await() {
    socket.async_wait(acceptor::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
      if (error || !self->socket.is_open()) return;
      self->on.refresh_now();
      self->accept_some();
    });
  }

  void accept_some() {
    for (int i = 0; i < accept_batch; ++i) {
      if (!accept_one()) return;
    }
    await();
  }

  // False when it has seen to what comes next: the handler may have stopped us, or there is nobody left to accept.
  bool accept_one() {
    sockaddr_storage from{};
    socklen_t from_bytes = sizeof from;
    const int descriptor = ::accept4(socket.native_handle(), reinterpret_cast<sockaddr*>(&from), &from_bytes,
                                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) {
      if (errno == ECONNABORTED || errno == EINTR || errno == EPROTO) return true;
      if (is_exhausted(errno)) {
        pause.arm(on.now() + exhausted_pause);
      } else {
        await();
      }
      return false;
    }
    address peer;
    if (from_bytes <= peer.capacity()) {
      std::memcpy(peer.data(), &from, from_bytes);
      peer.resize(from_bytes);
    }
    if (auto made = make_tcp_transport(on, descriptor, peer)) on_accepted(std::move(made));
    return socket.is_open();
  }

  void close() {
    boost::system::error_code ignored;
    socket.close(ignored);
    pause.cancel();
  }

  loop& on;
  acceptor socket;
  deadline pause;
  handler on_accepted;
};

bool is_in_use(const address& where) {
  boost::asio::io_context context;
  acceptor alone(context.get_executor());
  boost::system::error_code error;
  alone.open(where.protocol(), error);
  if (!error) alone.set_option(acceptor::reuse_address(true), error);
  if (!error) alone.bind(where, error);
  return error == boost::asio::error::address_in_use;
}

listener::listener(std::shared_ptr<state> opened) : state_(std::move(opened)) {}

listener::~listener() {
  state_->close();
}

result<std::unique_ptr<listener>> listener::open(loop& owner, const address& where) {
  auto opened = std::make_shared<state>(owner);
  boost::system::error_code error;
  opened->socket.open(where.protocol(), error);
  if (!error) opened->socket.set_option(acceptor::reuse_address(true), error);
  const int yes = 1;
  if (!error && ::setsockopt(opened->socket.native_handle(), SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) != 0) {
    return tl::unexpected(errc::io);
  }
  // Accepted sockets inherit it: a head and its body are one send, and the last piece of a stream must not wait.
  if (!error) opened->socket.set_option(boost::asio::ip::tcp::no_delay(true), error);
  if (!error) opened->socket.bind(where, error);
  if (!error) opened->socket.listen(acceptor::max_listen_connections, error);
  if (!error) opened->socket.native_non_blocking(true, error);
  if (error) return tl::unexpected(reason_of(error));
  return std::unique_ptr<listener>(new listener(std::move(opened)));
}

void listener::start(handler on_accepted) {
  onceward_assert(state_->on_accepted == nullptr);
  state_->on_accepted = std::move(on_accepted);
  state_->await();
}

void listener::stop() {
  if (!state_->socket.is_open()) return;
  if (state_->on_accepted != nullptr) {
    while (state_->socket.is_open() && state_->accept_one()) {
    }
  }
  state_->close();
}

address listener::local() const {
  boost::system::error_code error;
  return state_->socket.local_endpoint(error);
}

}  // namespace onceward::net
