// One HTTP message as a test sees it, read off a socket by the plainest code that can do it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tests/gateway/loopback_socket.h"

namespace onceward::test {

struct http_message {
  std::string start_line;
  std::string head;  // All of it, with the empty line.
  std::string body;  // Without the chunked coding.

  // 0 for a request.
  int status() const;
  // The values of all lines of that name, joined by ", "; nothing if there is none.
  std::optional<std::string> field(std::string_view name) const;
  bool has(std::string_view name) const { return field(name).has_value(); }
};

// Reads messages off one connection, one after the other.
class message_reader {
 public:
  explicit message_reader(loopback_socket& from) : from_(from) {}

  // Nothing at the end of the stream. `bodiless`: a response to HEAD.
  std::optional<http_message> read(bool bodiless = false);
  // The head only; the body is still to be read.
  std::optional<std::string> read_head();

  // The next bytes as they are; fewer at the end of the stream.
  std::string read_bytes(std::size_t count);

  const std::string& unread() const { return unread_; }

 private:
  bool fill();
  bool read_body(http_message& message);
  bool read_chunks(std::string& body);

  loopback_socket& from_;
  std::string unread_;
};

}  // namespace onceward::test
