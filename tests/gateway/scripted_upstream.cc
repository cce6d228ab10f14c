#include "tests/gateway/scripted_upstream.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace onceward::test {
namespace {

constexpr std::chrono::seconds patience{60};

}  // namespace

std::optional<http_message> upstream_peer::next_request() {
  auto request = messages.read();
  if (request) whole_.note(*request);
  return request;
}

scripted_upstream::scripted_upstream(script what, std::uint16_t port)
    : script_(std::move(what)), listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const int yes = 1;
  ::setsockopt(listening_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listening_, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) {
    throw std::runtime_error("cannot bind");
  }
  ::listen(listening_, 128);
  socklen_t bytes = sizeof where;
  ::getsockname(listening_, reinterpret_cast<sockaddr*>(&where), &bytes);
  port_ = ntohs(where.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

scripted_upstream::~scripted_upstream() {
  {
    const std::lock_guard hold(mutex_);
    stopping_ = true;
    for (const int descriptor : open_)
      ::shutdown(descriptor, SHUT_RDWR);
  }
  ::shutdown(listening_, SHUT_RDWR);
  acceptor_.join();
  ::close(listening_);
  for (std::thread& peer : peers_)
    peer.join();
}

void scripted_upstream::accept_all() {
  while (true) {
    const int descriptor = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) return;
    const int number = ++connections_;
    const std::lock_guard hold(mutex_);
    if (stopping_) {
      ::close(descriptor);
      return;
    }
    open_.push_back(descriptor);
    peers_.emplace_back([this, descriptor, number] {
      upstream_peer peer(*this, loopback_socket(descriptor), number);
      script_(peer);
      // Closed under the lock, so that the destructor does not shut a descriptor that is somebody else's by then.
      const std::lock_guard close_hold(mutex_);
      std::erase(open_, descriptor);
      peer.socket.close();
    });
  }
}

scripted_upstream::script scripted_upstream::answering(std::function<std::string(const http_message&)> answer) {
  return [answer = std::move(answer)](upstream_peer& peer) {
    while (const auto request = peer.next_request()) {
      if (!peer.socket.write(answer(*request))) return;
    }
  };
}

scripted_upstream::script scripted_upstream::answering(std::string answer) {
  return answering([answer = std::move(answer)](const http_message&) { return answer; });
}

void scripted_upstream::note(const http_message& request) {
  const std::lock_guard hold(mutex_);
  requests_.push_back(request);
  noted_.notify_all();
}

std::vector<http_message> scripted_upstream::requests() const {
  const std::lock_guard hold(mutex_);
  return requests_;
}

std::vector<http_message> scripted_upstream::wait_for_requests(std::size_t count) const {
  std::unique_lock hold(mutex_);
  if (!noted_.wait_for(hold, patience, [&] { return requests_.size() >= count; })) {
    throw std::runtime_error("the upstream was not asked");
  }
  return requests_;
}

void gate::open() {
  const std::lock_guard hold(mutex_);
  open_ = true;
  opened_.notify_all();
}

void gate::wait() {
  std::unique_lock hold(mutex_);
  if (!opened_.wait_for(hold, patience, [this] { return open_; })) throw std::runtime_error("the gate stayed shut");
}

}  // namespace onceward::test
