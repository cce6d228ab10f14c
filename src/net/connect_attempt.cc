#include "net/connect_attempt.h"

#include <utility>

#include <boost/asio/basic_stream_socket.hpp>

#include "net/deadline.h"
#include "net/tcp_transport.h"

namespace onceward::net {
namespace {

// With the concrete executor: a type-erased one costs an allocation for each wait.
using tcp_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

errc reason_of(const boost::system::error_code& error) {
  namespace bs = boost::system::errc;
  if (error == bs::too_many_files_open || error == bs::too_many_files_open_in_system || error == bs::no_buffer_space ||
      error == bs::address_not_available) {
    return onceward::errc::io;
  }
  return error == bs::timed_out ? onceward::errc::timeout : onceward::errc::unavailable;
}

}  // namespace

struct connect_attempt::state : std::enable_shared_from_this<connect_attempt::state> {
  state(loop& owner, const address& to, handler done)
      : on(owner),
        where(to),
        socket(owner.context().get_executor()),
        on_connected(std::move(done)),
        too_late(owner, [this] { end(tl::unexpected(errc::timeout)); }) {}

  void start(base::moment give_up) {
    boost::system::error_code error;
    socket.open(where.protocol(), error);
    if (!error) socket.native_non_blocking(true, error);
    if (!error) socket.set_option(boost::asio::ip::tcp::no_delay(true), error);
    if (error) return on.post([self = shared_from_this()] { self->end(tl::unexpected(errc::io)); });
    too_late.arm(give_up);
    socket.async_connect(where, [self = shared_from_this()](const boost::system::error_code& failed) {
      self->on.refresh_now();
      self->connected(failed);
    });
  }

  void connected(const boost::system::error_code& error) {
    if (over) return;
    if (error) return end(tl::unexpected(reason_of(error)));
    // On loopback, a connection to a free port of the ephemeral range may be answered by itself.
    boost::system::error_code ignored;
    if (socket.local_endpoint(ignored) == where) return end(tl::unexpected(errc::unavailable));
    const int descriptor = socket.release(ignored);
    auto made = descriptor < 0 ? nullptr : make_tcp_transport(on, descriptor, where);
    if (made == nullptr) return end(tl::unexpected(errc::io));
    end(std::move(made));
  }

  void end(result<std::unique_ptr<transport>> outcome) {
    if (over) return;
    const auto self = shared_from_this();
    give_up();
    handler done = std::move(on_connected);
    done(std::move(outcome));
  }

  void give_up() {
    over = true;
    too_late.cancel();
    boost::system::error_code ignored;
    socket.close(ignored);
  }

  loop& on;
  address where;
  tcp_socket socket;
  handler on_connected;
  deadline too_late;
  bool over = false;
};

connect_attempt::connect_attempt(loop& owner, const address& where, base::moment give_up, handler on_connected)
    : state_(std::make_shared<state>(owner, where, std::move(on_connected))) {
  state_->start(give_up);
}

connect_attempt::~connect_attempt() {
  if (!state_->over) state_->give_up();
}

}  // namespace onceward::net
