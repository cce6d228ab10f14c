// Addresses of TCP endpoints.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "net/loop.h"
#include "onceward/result.h"

namespace onceward::net {

using address = boost::asio::ip::tcp::endpoint;

// "192.0.2.1:80", "[2001:db8::1]:80"
std::string to_string(const address& where);

// An IP address in text, IPv6 with or without brackets; nothing for a name.
std::optional<address> parse_address(std::string_view host, std::uint16_t port);

// Looks a name up and waits for the answer: for start-up, never on a loop.
result<std::vector<address>> resolve_now(const std::string& host, std::uint16_t port);

// Looks names up in the background.
class resolver {
 public:
  // All addresses of the name, each once; `not_found` where there is none, `unavailable` where nobody could say.
  using handler = std::function<void(result<std::vector<address>>)>;

  explicit resolver(loop& owner);
  resolver(const resolver&) = delete;
  resolver& operator=(const resolver&) = delete;
  // No handler is called afterwards.
  ~resolver();

  // On the loop; `on_resolved` is called there, later.
  void resolve(const std::string& host, std::uint16_t port, handler on_resolved);

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace onceward::net
