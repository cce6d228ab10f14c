#include "net/tcp_transport.h"

#include <cerrno>
#include <utility>

#include <sys/socket.h>

#include "base/assert.h"
#include "net/wait_memory.h"

namespace onceward::net {
namespace {

enum class interest : std::uint8_t { readable, writable, lost };

// What a pending wait needs after the transport has gone: Asio tells every wait of its end, if only that it was given
// up.
struct connection_state {
  connection_state(loop& owner, tcp_socket connected) : on(owner), socket(std::move(connected)) {}

  loop& on;
  tcp_socket socket;
  transport_user* user = nullptr;
  bool open = true;
  bool waiting[3] = {false, false, false};
  detail::wait_memory memory[3];
};

using shared_state = std::shared_ptr<connection_state>;

class wait_handler {
 public:
  using allocator_type = detail::wait_allocator<std::byte>;

  wait_handler(shared_state state, interest what) : state_(std::move(state)), what_(what) {}

  allocator_type get_allocator() const noexcept { return allocator_type(memory()); }

  // An error of the wait itself is not looked at: the transfer that follows finds it.
  void operator()(const boost::system::error_code&) {
    connection_state& state = *state_;
    state.waiting[static_cast<std::size_t>(what_)] = false;
    if (!state.open || state.user == nullptr) return;
    state.on.refresh_now();
    switch (what_) {
      case interest::readable:
        return state.user->on_readable();
      case interest::writable:
        return state.user->on_writable();
      case interest::lost:
        return state.user->on_lost();
    }
  }

 private:
  detail::wait_memory& memory() const { return state_->memory[static_cast<std::size_t>(what_)]; }

  shared_state state_;
  interest what_;
};

class tcp_transport final : public transport {
 public:
  tcp_transport(loop& owner, tcp_socket socket, const address& peer)
      : state_(std::make_shared<connection_state>(owner, std::move(socket))), peer_ip_(peer.address().to_string()) {}

  ~tcp_transport() override {
    state_->open = false;
    state_->user = nullptr;
    boost::system::error_code ignored;
    state_->socket.close(ignored);
  }

  void set_user(transport_user* user) override { state_->user = user; }

  transfer receive(std::span<char> into) override {
    onceward_assert(!into.empty());
    ssize_t moved;
    do {
      moved = ::recv(state_->socket.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
    } while (moved < 0 && errno == EINTR);
    if (moved == 0) return {transfer_status::ended};
    return outcome_of(moved);
  }

  transfer send(std::string_view bytes) override {
    onceward_assert(!bytes.empty());
    ssize_t moved;
    do {
      moved = ::send(state_->socket.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (moved < 0 && errno == EINTR);
    return outcome_of(moved);
  }

  void await_readable() override { wait_for(interest::readable, tcp_socket::wait_read); }
  void await_writable() override { wait_for(interest::writable, tcp_socket::wait_write); }
  void await_lost() override { wait_for(interest::lost, tcp_socket::wait_error); }

  void end_sending() override {
    boost::system::error_code ignored;
    state_->socket.shutdown(tcp_socket::shutdown_send, ignored);
  }

  void reset_on_close() override {
    const linger reset{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(state_->socket.native_handle(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }

  std::string_view peer_ip() const override { return peer_ip_; }

 private:
  static transfer outcome_of(ssize_t moved) {
    if (moved > 0) return {transfer_status::moved, static_cast<std::size_t>(moved)};
    if (moved < 0 && errno == EAGAIN) return {transfer_status::would_block};
    return {transfer_status::failed};
  }

  void wait_for(interest what, tcp_socket::wait_type type) {
    bool& waiting = state_->waiting[static_cast<std::size_t>(what)];
    if (waiting) return;
    waiting = true;
    state_->socket.async_wait(type, wait_handler(state_, what));
  }

  shared_state state_;
  std::string peer_ip_;
};

}  // namespace

std::unique_ptr<transport> make_tcp_transport(loop& owner, tcp_socket socket, const address& peer) {
  return std::make_unique<tcp_transport>(owner, std::move(socket), peer);
}

}  // namespace onceward::net
