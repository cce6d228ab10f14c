#include "tests/gateway/loopback_socket.h"

#include <cerrno>
#include <stdexcept>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace onceward::test {
namespace {

constexpr int patience_s = 60;

}  // namespace

loopback_socket::loopback_socket(int descriptor) : descriptor_(descriptor) {
  const timeval patience{.tv_sec = patience_s, .tv_usec = 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const int yes = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

loopback_socket::loopback_socket(loopback_socket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), reset_(other.reset_) {}

loopback_socket& loopback_socket::operator=(loopback_socket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(reset_, other.reset_);
  return *this;
}

loopback_socket::~loopback_socket() {
  close();
}

loopback_socket loopback_socket::connect_to(std::uint16_t port) {
  loopback_socket made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(made.descriptor_, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) {
    throw std::runtime_error("cannot connect");
  }
  return made;
}

bool loopback_socket::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t moved = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (moved < 0 && errno == EAGAIN) throw std::runtime_error("the peer takes nothing");
    if (moved < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(moved));
  }
  return true;
}

std::size_t loopback_socket::write_some(std::string_view bytes) {
  const ssize_t moved = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return moved < 0 ? 0 : static_cast<std::size_t>(moved);
}

std::string loopback_socket::read_some() {
  char bytes[65536];
  const ssize_t moved = ::recv(descriptor_, bytes, sizeof bytes, 0);
  if (moved < 0 && errno == EAGAIN) throw std::runtime_error("the peer sends nothing");
  if (moved < 0) reset_ = true;
  return moved <= 0 ? std::string() : std::string(bytes, static_cast<std::size_t>(moved));
}

std::string loopback_socket::read_to_end() {
  std::string all;
  for (std::string piece = read_some(); !piece.empty(); piece = read_some())
    all += piece;
  return all;
}

void loopback_socket::end_writing() {
  ::shutdown(descriptor_, SHUT_WR);
}

void loopback_socket::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

void loopback_socket::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

bool loopback_socket::can_write_within(std::chrono::milliseconds bound) {
  pollfd one{.fd = descriptor_, .events = POLLOUT, .revents = 0};
  return ::poll(&one, 1, static_cast<int>(bound.count())) == 1;
}

}  // namespace onceward::test
