// An upstream that does to each connection what a test's script says, on a thread of its own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/gateway/http_message.h"
#include "tests/gateway/loopback_socket.h"

namespace onceward::test {

class scripted_upstream;

// One connection, as a script sees it.
class upstream_peer {
 public:
  upstream_peer(scripted_upstream& whole, loopback_socket accepted, int number)
      : socket(std::move(accepted)), messages(socket), connection_number(number), whole_(whole) {}

  // The next whole request, noted in the upstream's list; nothing when the gateway has closed the connection.
  std::optional<http_message> next_request();

  loopback_socket socket;
  message_reader messages;
  const int connection_number;  // From 1.

 private:
  scripted_upstream& whole_;
};

class scripted_upstream {
 public:
  using script = std::function<void(upstream_peer&)>;

  explicit scripted_upstream(script what, std::uint16_t port = 0);
  scripted_upstream(const scripted_upstream&) = delete;
  ~scripted_upstream();

  // Answers every request with what `answer` makes of it.
  static script answering(std::function<std::string(const http_message&)> answer);
  static script answering(std::string answer);

  std::uint16_t port() const { return port_; }
  std::vector<http_message> requests() const;
  // Waits until so many have come.
  std::vector<http_message> wait_for_requests(std::size_t count) const;
  int connections() const { return connections_; }

 private:
  friend class upstream_peer;
  void accept_all();
  void note(const http_message& request);

  script script_;
  int listening_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  mutable std::condition_variable noted_;
  std::vector<http_message> requests_;
  std::vector<std::thread> peers_;
  std::vector<int> open_;
  bool stopping_ = false;
  std::thread acceptor_;
};

// A gate that one side opens and the other waits at.
class gate {
 public:
  void open();
  void wait();

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

}  // namespace onceward::test
