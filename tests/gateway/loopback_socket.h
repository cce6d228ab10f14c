// A blocking TCP connection on loopback, for tests that play a peer byte by byte. Whatever waits longer than any test
// may wait fails with an exception, which GoogleTest reports.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace onceward::test {

class loopback_socket {
 public:
  explicit loopback_socket(int descriptor);
  loopback_socket(loopback_socket&& other) noexcept;
  loopback_socket& operator=(loopback_socket&& other) noexcept;
  ~loopback_socket();

  static loopback_socket connect_to(std::uint16_t port);

  // All of it. False if the peer is gone.
  bool write(std::string_view bytes);
  // As much as the kernel takes at once; 0 when it takes none.
  std::size_t write_some(std::string_view bytes);
  // False if it takes none for so long.
  bool can_write_within(std::chrono::milliseconds bound);

  // Some bytes; empty at the end of the stream, or when it was reset.
  std::string read_some();
  std::string read_to_end();
  bool was_reset() const { return reset_; }

  void end_writing();
  void close();
  // Closes with a reset instead of an orderly end.
  void reset();

  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
  bool reset_ = false;
};

}  // namespace onceward::test
