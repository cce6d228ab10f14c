// As much HTTP as the demo needs to play a client and an API: blocking, one thread a connection. Nothing of it is in
// the gateway.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace onceward::app {

struct demo_request {
  std::string method = "GET";
  std::string target = "/";
  std::map<std::string, std::string> fields = {};  // Names in lower case.
  std::string body = {};
};

struct demo_response {
  int status = 0;
  std::map<std::string, std::string> fields = {};  // Names in lower case.
  std::string body = {};
};

// Nothing if the connection failed or ended without an answer, or if none came in time.
std::optional<demo_response> call(std::uint16_t port, const demo_request& request,
                                  std::chrono::milliseconds timeout = std::chrono::seconds(20));

// Serves on a loopback port of its own until it is destroyed.
class demo_server {
 public:
  // Called from many threads. Nothing: the connection is dropped without an answer.
  using handler = std::function<std::optional<demo_response>(const demo_request&)>;

  // `port` 0: any that is free. Throws std::exception if it cannot listen.
  demo_server(std::uint16_t port, handler answer);
  ~demo_server();
  demo_server(const demo_server&) = delete;
  demo_server& operator=(const demo_server&) = delete;

  std::uint16_t port() const;

 private:
  struct inside;
  std::shared_ptr<inside> inside_;
};

// A loopback port that nobody listens on at this moment.
std::uint16_t free_port();

}  // namespace onceward::app
