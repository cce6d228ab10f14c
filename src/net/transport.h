// A connected byte stream, as those who speak a protocol over it see it. TCP is one (tcp_transport.h); TLS over it
// would be another.
//
// Transfers never wait; whoever finds that a transfer would have to wait asks to be told when it is worth another try.
// Nothing is read ahead, so a connection that is not read from holds its peer back.
//
// A send may be put off until the loop has handed out what it has at hand, and is then made together with those of
// others. Until then it would block. Whoever is told then that the stream is writable calls send() with the same bytes
// again, perhaps more, and gets the result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace onceward::net {

enum class transfer_status : std::uint8_t {
  moved,        // At least one byte.
  would_block,  // None now.
  ended,        // receive() only: the peer sends no more.
  failed,       // The connection is lost: reset, or broken otherwise.
};

struct transfer {
  transfer_status status;
  std::size_t bytes = 0;
};

// Told once for each await, on the loop, never from inside the call that asked.
class transport_user {
 public:
  virtual void on_readable() = 0;  // Bytes, the end or an error can be received.
  virtual void on_writable() = 0;
  virtual void on_lost() = 0;  // After await_lost(): the connection is reset.
  // Asked right before bytes are sent that were put off. If not, they are not, and on_withdrawn() comes in the place of
  // on_writable().
  virtual bool still_sends() const { return true; }
  virtual void on_withdrawn() {}

 protected:
  ~transport_user() = default;
};

// On one loop. Destroying it closes the connection; nobody is told of anything afterwards.
class transport {
 public:
  virtual ~transport() = default;

  // Who is told. May be changed at any time; null while nobody waits.
  virtual void set_user(transport_user* user) = 0;

  // `into` is not empty.
  virtual transfer receive(std::span<char> into) = 0;
  // `bytes` is not empty. Fewer may be taken than there are.
  virtual transfer send(std::string_view bytes) = 0;

  // Asking again before being told changes nothing.
  virtual void await_readable() = 0;
  virtual void await_writable() = 0;
  // For a connection whose peer has ended its sending: that is all there is left to hear of it.
  virtual void await_lost() = 0;

  // The peer sees the end of what was sent; receiving goes on.
  virtual void end_sending() = 0;

  // Makes the destructor reset the connection, so that the peer cannot take what was sent for the whole.
  virtual void reset_on_close() = 0;

  // Whether it is known without asking that nothing has arrived that was not received, no bytes, no end and no loss, as
  // of the moment to which the loop has got. False where it is not known.
  virtual bool is_known_quiet() const = 0;

  // The peer's address without its port, "192.0.2.1" or "2001:db8::1".
  virtual std::string_view peer_ip() const = 0;
};

}  // namespace onceward::net
