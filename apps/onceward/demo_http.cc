#include "demo_http.h"

#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <thread>
#include <utility>

namespace onceward::app {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

tcp::endpoint loopback(std::uint16_t port) {
  return {asio::ip::address_v4::loopback(), port};
}

std::string lower(std::string_view name) {
  std::string made(name);
  for (char& each : made)
    each = static_cast<char>(each >= 'A' && each <= 'Z' ? each + ('a' - 'A') : each);
  return made;
}

template <typename Message>
std::map<std::string, std::string> fields_of(const Message& message) {
  std::map<std::string, std::string> fields;
  for (const auto& each : message) {
    fields[lower({each.name_string().data(), each.name_string().size()})] = std::string(each.value());
  }
  return fields;
}

}  // namespace

std::optional<demo_response> call(std::uint16_t port, const demo_request& request, std::chrono::milliseconds timeout) {
  asio::io_context context;
  beast::tcp_stream stream(context);
  http::request<http::string_body> sent(http::string_to_verb(request.method), request.target, 11);
  sent.set(http::field::host, "127.0.0.1:" + std::to_string(port));
  for (const auto& [name, value] : request.fields)
    sent.set(name, value);
  sent.body() = request.body;
  sent.prepare_payload();

  beast::flat_buffer buffer;
  http::response<http::string_body> received;
  stream.expires_after(timeout);
  bool complete = false;
  // Deadlines of a tcp_stream hold for asynchronous calls only.
  stream.async_connect(loopback(port), [&](beast::error_code error) {
    if (error) return;
    http::async_write(stream, sent, [&](beast::error_code write_error, std::size_t) {
      if (write_error) return;
      http::async_read(stream, buffer, received,
                       [&](beast::error_code read_error, std::size_t) { complete = !read_error; });
    });
  });
  context.run();
  if (!complete) return std::nullopt;
  return demo_response{static_cast<int>(received.result_int()), fields_of(received), received.body()};
}

struct demo_server::inside {
  explicit inside(std::uint16_t port) : acceptor(context, loopback(port)) {}

  void serve(tcp::socket socket) {
    beast::flat_buffer buffer;
    beast::error_code error;
    while (!error) {
      http::request<http::string_body> received;
      http::read(socket, buffer, received, error);
      if (error) return;
      const auto made = answer({std::string(received.method_string()), std::string(received.target()),
                                fields_of(received), received.body()});
      if (!made) return;
      http::response<http::string_body> sent(static_cast<http::status>(made->status), received.version());
      for (const auto& [name, value] : made->fields)
        sent.set(name, value);
      sent.body() = made->body;
      sent.keep_alive(received.keep_alive());
      sent.prepare_payload();
      http::write(socket, sent, error);
      if (!received.keep_alive()) return;
    }
  }

  asio::io_context context;
  tcp::acceptor acceptor;
  handler answer;
  std::atomic<bool> stopping = false;
  std::thread accepting;
};

demo_server::demo_server(std::uint16_t port, handler answer) : inside_(std::make_shared<inside>(port)) {
  inside_->answer = std::move(answer);
  inside_->accepting = std::thread([self = inside_] {
    while (!self->stopping) {
      beast::error_code error;
      tcp::socket socket(self->context);
      self->acceptor.accept(socket, error);
      if (error || self->stopping) continue;
      // The connection's thread keeps what it uses alive; it ends with its client.
      std::thread([self, socket = std::move(socket)]() mutable { self->serve(std::move(socket)); }).detach();
    }
  });
}

demo_server::~demo_server() {
  inside_->stopping = true;
  asio::io_context context;
  tcp::socket knock(context);
  beast::error_code ignored;
  knock.connect(loopback(port()), ignored);
  inside_->accepting.join();
}

std::uint16_t demo_server::port() const {
  return inside_->acceptor.local_endpoint().port();
}

std::uint16_t free_port() {
  asio::io_context context;
  return tcp::acceptor(context, loopback(0)).local_endpoint().port();
}

}  // namespace onceward::app
