#include "net/tcp_transport.h"

#include <cerrno>
#include <optional>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "net/poller.h"
#include "net/send_batch.h"

namespace onceward::net {
namespace {

// Edge-triggered: what the kernel has told once it does not tell again, so it is kept until a transfer finds otherwise.
class tcp_transport final : public transport, public detail::polled, public detail::send_batch::sender {
 public:
  tcp_transport(loop& owner, int descriptor, const address& peer)
      : loop_(owner), descriptor_(descriptor), peer_ip_(peer.address().to_string()) {}

  ~tcp_transport() override {
    forget_left();
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
    if (moved < 0) moved = -errno;
    // Less than there was room for is all there was, unless an end is still to be found behind it.
    const bool all_taken = moved > 0 ? static_cast<std::size_t>(moved) < into.size() : is_block(moved);
    if (all_taken) readable_ = receiving_ends_;
    if (moved == 0) return {transfer_status::ended};
    return outcome_of(moved);
  }

  transfer send(std::string_view bytes) override {
    onceward_assert(!bytes.empty());
    if (left_) return {transfer_status::would_block};
    if (sent_) {
      onceward_assert(*sent_ <= static_cast<ssize_t>(bytes.size()));
      return outcome_of(*std::exchange(sent_, std::nullopt));
    }
    left_ = loop_.sends().leave(descriptor_, bytes, *this);
    if (left_) return {transfer_status::would_block};
    const ssize_t moved = detail::send_now(descriptor_, bytes);
    if (is_block(moved)) writable_ = lost_;
    return outcome_of(moved);
  }

  void await_readable() override { await(readable_awaited_, readable_); }
  void await_writable() override { await(writable_awaited_, can_send()); }
  void await_lost() override { await(lost_awaited_, lost_); }

  void end_sending() override {
    forget_left();
    ::shutdown(descriptor_, SHUT_WR);
  }

  void reset_on_close() override {
    const linger reset{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }

  bool is_known_quiet() const override { return !readable_ && loop_.connections().is_up_to_date(); }

  std::string_view peer_ip() const override { return peer_ip_; }

 private:
  struct wait {
    bool* awaited;
    bool is_so;
    void (transport_user::*tell)();
  };

  // Bytes that were moved, or an errno as a negative number.
  static bool is_block(ssize_t moved) { return moved == -EAGAIN; }

  static transfer outcome_of(ssize_t moved) {
    if (moved > 0) return {transfer_status::moved, static_cast<std::size_t>(moved)};
    if (is_block(moved)) return {transfer_status::would_block};
    return {transfer_status::failed};
  }

  void await(bool& awaited, bool is_so) {
    if (std::exchange(awaited, true) || !is_so) return;
    loop_.connections().recall(*place_);
  }

  bool can_send() const { return writable_ && !left_; }

  void forget_left() {
    if (std::exchange(left_, false)) loop_.sends().forget(*this);
  }

  bool still_sends() const override { return user_ == nullptr || user_->still_sends(); }

  void on_sent(ssize_t moved) override {
    left_ = false;
    if (is_block(moved)) {
      writable_ = lost_;
      // Otherwise the kernel tells.
      if (writable_ && writable_awaited_) loop_.connections().recall(*place_);
      return;
    }
    const bool withdrawn = moved == -ECANCELED;
    if (!withdrawn) sent_ = moved;
    if (!std::exchange(writable_awaited_, false) || user_ == nullptr) return;
    withdrawn ? user_->on_withdrawn() : user_->on_writable();
  }

  void note_events(std::uint32_t events) override {
    lost_ |= (events & (EPOLLERR | EPOLLHUP)) != 0;
    receiving_ends_ |= lost_ || (events & EPOLLRDHUP) != 0;
    readable_ |= receiving_ends_ || (events & EPOLLIN) != 0;
    writable_ |= lost_ || (events & EPOLLOUT) != 0;
  }

  void on_events() override {
    const wait waits[] = {{&readable_awaited_, readable_, &transport_user::on_readable},
                          {&writable_awaited_, can_send(), &transport_user::on_writable},
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
  bool left_ = false;            // The loop has bytes that it will send, and tells what became of them.
  std::optional<ssize_t> sent_;  // What became of them: for the next send().
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
