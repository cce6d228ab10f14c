#include "net/tcp_transport.h"

#include <cerrno>
#include <optional>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "net/poller.h"

namespace onceward::net {
namespace {

// Edge-triggered: what the kernel has told once it does not tell again, so it is kept until a transfer finds otherwise.
class tcp_transport final : public transport, public detail::polled {
 public:
  tcp_transport(loop& owner, int descriptor, const address& peer)
      : loop_(owner), descriptor_(descriptor), peer_ip_(peer.address().to_string()) {}

  ~tcp_transport() override {
    if (place_) loop_.connections().remove(*place_);
    ::close(descriptor_);
  }

  // False if the kernel has no room to watch it.
  bool watch() {
    place_ = loop_.connections().add(descriptor_, *this);
    return place_.has_value();
  }

  void set_user(transport_user* user) override { user_ = user; }

  transfer receive(std::span<char> into) override {
    onceward_assert(!into.empty());
    ssize_t moved;
    do {
      moved = ::recv(descriptor_, into.data(), into.size(), MSG_DONTWAIT);
    } while (moved < 0 && errno == EINTR);
    // Less than there was room for is all there was, unless an end is still to be found behind it.
    const bool all_taken = moved > 0 ? static_cast<std::size_t>(moved) < into.size() : is_block(moved);
    if (all_taken) readable_ = receiving_ends_;
    if (moved == 0) return {transfer_status::ended};
    return outcome_of(moved);
  }

  transfer send(std::string_view bytes) override {
    onceward_assert(!bytes.empty());
    ssize_t moved;
    do {
      moved = ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (moved < 0 && errno == EINTR);
    if (is_block(moved)) writable_ = lost_;
    return outcome_of(moved);
  }

  void await_readable() override { await(readable_awaited_, readable_); }
  void await_writable() override { await(writable_awaited_, writable_); }
  void await_lost() override { await(lost_awaited_, lost_); }

  void end_sending() override { ::shutdown(descriptor_, SHUT_WR); }

  void reset_on_close() override {
    const linger reset{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }

  std::string_view peer_ip() const override { return peer_ip_; }

 private:
  struct wait {
    bool* awaited;
    bool is_so;
    void (transport_user::*tell)();
  };

  static bool is_block(ssize_t moved) { return moved < 0 && errno == EAGAIN; }

  static transfer outcome_of(ssize_t moved) {
    if (moved > 0) return {transfer_status::moved, static_cast<std::size_t>(moved)};
    if (is_block(moved)) return {transfer_status::would_block};
    return {transfer_status::failed};
  }

  void await(bool& awaited, bool is_so) {
    if (std::exchange(awaited, true) || !is_so) return;
    loop_.connections().recall(*place_);
  }

  void on_events(std::uint32_t events) override {
    lost_ |= (events & (EPOLLERR | EPOLLHUP)) != 0;
    receiving_ends_ |= lost_ || (events & EPOLLRDHUP) != 0;
    readable_ |= receiving_ends_ || (events & EPOLLIN) != 0;
    writable_ |= lost_ || (events & EPOLLOUT) != 0;

    const wait waits[] = {{&readable_awaited_, readable_, &transport_user::on_readable},
                          {&writable_awaited_, writable_, &transport_user::on_writable},
                          {&lost_awaited_, lost_, &transport_user::on_lost}};
    const wait* due = nullptr;
    for (const wait& each : waits) {
      if (!*each.awaited || !each.is_so) continue;
      // A user that is told may destroy this: that is the last thing done here, and what else there is comes later.
      if (due != nullptr) {
        loop_.connections().recall(*place_);
        break;
      }
      due = &each;
    }
    if (due == nullptr) return;
    *due->awaited = false;
    if (user_ != nullptr) (user_->*due->tell)();
  }

  loop& loop_;
  const int descriptor_;
  transport_user* user_ = nullptr;
  std::optional<detail::poller::place_number> place_;
  // What is known of the descriptor; the last two stay as they are once they are so.
  bool readable_ = false;
  bool writable_ = false;
  bool receiving_ends_ = false;
  bool lost_ = false;
  // What the user waits for.
  bool readable_awaited_ = false;
  bool writable_awaited_ = false;
  bool lost_awaited_ = false;
  std::string peer_ip_;
};

}  // namespace

std::unique_ptr<transport> make_tcp_transport(loop& owner, int descriptor, const address& peer) {
  auto made = std::make_unique<tcp_transport>(owner, descriptor, peer);
  if (!made->watch()) return nullptr;
  return made;
}

}  // namespace onceward::net
