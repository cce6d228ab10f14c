// A connection whose other end is a fuzz target: bytes wait here until the gateway receives them, and what it sends is
// collected.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "net/transport.h"

namespace onceward::fuzz {

class byte_stream : public std::enable_shared_from_this<byte_stream> {
 public:
  // Of what is sent, so much is taken at a time, and then nothing until the gateway was told.
  explicit byte_stream(std::size_t taken_at_once) : taken_at_once_(taken_at_once) {}

  // Once.
  std::unique_ptr<net::transport> make_transport();

  void deliver(std::string_view bytes) { to_receive_ += bytes; }
  void end_delivery() { ended_ = true; }

  // Tells the gateway one thing that it waits for. False where there is none, or nobody.
  bool tell();

  const std::string& sent() const { return sent_; }
  // The gateway sends nothing more.
  bool is_over() const { return over_; }

 private:
  class end;

  const std::size_t taken_at_once_;
  std::string to_receive_;
  bool ended_ = false;
  std::string sent_;
  bool over_ = false;
  bool choked_ = false;

  net::transport_user* user_ = nullptr;
  bool readable_awaited_ = false;
  bool writable_awaited_ = false;
};

}  // namespace onceward::fuzz
