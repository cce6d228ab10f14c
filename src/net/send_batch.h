// What a loop's connections send while one lot of events is handed out, sent with one system call.
//
// A send wakes whoever waits for the bytes on this machine, and where they sleep on the same processor they take it
// right after the call: a change of thread for each send. Sent in one call, many bytes wake them once.
// docs/decisions/0035.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include <linux/aio_abi.h>
#include <sys/types.h>

namespace onceward::net::detail {

// send(2) that does not wait and raises no signal: how many bytes the kernel took, or an errno as a negative number.
ssize_t send_now(int descriptor, std::string_view bytes);

// On one loop, all of it.
class send_batch {
 public:
  // Who left bytes.
  class sender {
   public:
    // Asked right before its bytes are sent.
    virtual bool still_sends() const = 0;
    // What send_now() would have returned; -ECANCELED where it did not want its bytes sent any more. The sender may be
    // destroyed here, and others.
    virtual void on_sent(ssize_t moved) = 0;

   protected:
    ~sender() = default;
  };

  send_batch();
  send_batch(const send_batch&) = delete;
  send_batch& operator=(const send_batch&) = delete;
  ~send_batch();

  // From here on bytes may be left; end() sends them and tells the senders.
  void begin() { gathers_ = true; }
  void end();

  // Copies the bytes and sends them later to this descriptor, which is non-blocking. False where there is no room, it
  // is not the time, or they are many: the caller sends them by itself. One at a time for each sender.
  [[nodiscard]] bool leave(int descriptor, std::string_view bytes, sender& who);
  // What it left is not sent any more.
  void forget(const sender& who);

 private:
  static constexpr std::size_t entries_max = 256;
  static constexpr std::size_t bytes_max = std::size_t{256} << 10;
  static constexpr std::size_t bytes_each_max = std::size_t{16} << 10;  // More is not worth a copy.

  struct entry {
    sender* who;  // Null once it is forgotten.
    int descriptor;
    std::string_view bytes;  // borrows: of `bytes_`, until end().
    ssize_t moved;
  };

  void send_all();

  aio_context_t kernel_ = 0;
  bool can_submit_;  // The kernel has a context for us: a container may forbid it.

  bool gathers_ = false;
  std::size_t count_ = 0;
  std::size_t bytes_used_ = 0;
  std::array<entry, entries_max> entries_;
  std::array<char, bytes_max> bytes_;
};

}  // namespace onceward::net::detail
