// One request to the upstream and its response, over a connection of the pool, or over several where the rules allow
// it.
//
// A request is sent again by itself in two cases only: no byte of it was accepted by the kernel, or, where the caller
// allows it, a reused connection ended before the first byte of a response (RFC 9110 section 9.2.2) and the whole
// request is still at hand. What the caller is told of a failure says whether anything was sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/time.h"
#include "gateway/upstream_pool.h"
#include "gateway/worker_tools.h"
#include "http/body_reader.h"
#include "http/response_head.h"
#include "net/deadline.h"

namespace onceward::gateway {

struct upstream_failure {
  upstream_failure_kind kind;
  bool definite;  // No byte of the request was ever accepted by the kernel.
};

// What a client is told of it.
core::problem_type problem_of(const upstream_failure& why);

class upstream_call_user {
 public:
  // Asked when a connection is there, again right before bytes are sent that were put off, and before more are sent of
  // a request of which the kernel has accepted a part. If not, the call fails, definitely where no byte was accepted.
  virtual bool may_send() const { return true; }
  // An interim head (but for 101), or the final one. Valid during the call.
  virtual void on_upstream_head(const http::response_head_view& head) = 0;
  // The next piece of the body; the last, which may be empty, ends the call.
  virtual void on_upstream_body(std::string_view piece, bool last) = 0;
  // All that has arrived was told of: a good moment to pass it on.
  virtual void on_upstream_pause() = 0;
  // All that was given to send() has been sent, but not from inside it.
  virtual void on_upstream_sent() = 0;
  // Ends the call.
  virtual void on_upstream_failed(const upstream_failure& why) = 0;

 protected:
  ~upstream_call_user() = default;
};

// Ended by its user's last call, or by cancel(); may then be begun again, also from inside that last call.
class upstream_call final : private upstream_connection_user, private upstream_customer {
 public:
  struct manner {
    http::method_id verb = http::method_id::other;
    bool repeatable = false;       // May be sent again after a byte was sent, as said above.
    bool asks_upgrade = false;     // 101 is an answer; without it, it is malformed.
    upstream_demand connection{};  // For the first try.
  };

  // `tools` and `user` outlive the call.
  upstream_call(worker_tools& tools, upstream_call_user& user);
  ~upstream_call() override { cancel(); }

  void begin(const manner& how);

  // Bytes to send, to be appended to.
  base::byte_buffer& request() { return request_; }
  // Sends what was appended; `last`: the request is complete.
  void send(bool last);
  // Bytes that could not be sent yet.
  std::size_t backlog() const { return request_.size() - sent_; }
  bool sent_whole() const { return complete_ && backlog() == 0; }

  // Stops and goes on receiving: while it is stopped, the upstream is held back.
  void hold();
  void go_on();

  // Forgets the request; its connection is closed. No further call to the user.
  void cancel();

  // After 101: the connection and what was received behind the head. The call is over.
  upstream_connection& take_connection();

  // From the last byte sent to the response's head; zero where that came before. Valid from the head to the end.
  base::moment::duration response_time() const { return sent_whole() ? head_at_ - sent_at_ : head_at_ - head_at_; }

 private:
  enum class stage : std::uint8_t { idle, begun, acquiring, awaiting_head, receiving };

  void on_connection(upstream_connection& ready) override;
  void on_no_connection(upstream_failure_kind why) override;
  void on_upstream_readable() override;
  void on_upstream_writable() override;
  bool still_sends() const override;
  void on_withdrawn() override { fail(upstream_failure_kind::timed_out); }

  void push();
  void push_and_tell();
  void forget_sent();
  void receive();
  void arm_deadline();
  void end();
  // False once the call has ended, or was ended by the user.
  bool take_in();
  bool take_heads();
  bool take_body();
  void peer_ended();
  void lost(upstream_failure_kind why);
  void fail(upstream_failure_kind why);
  void finish(std::string_view last_piece);

  worker_tools& tools_;
  upstream_call_user& user_;
  manner how_;
  stage stage_ = stage::idle;
  std::uint32_t generation_ = 0;  // Of calls: tells whether the user ended one and began another.
  upstream_connection* connection_ = nullptr;

  base::byte_buffer request_;
  std::size_t sent_ = 0;       // Of `request_`.
  bool whole_ = true;          // `request_` has the request from its first byte on.
  bool complete_ = false;      // ... and nothing more will be appended.
  bool any_accepted_ = false;  // By the kernel, for any try.
  bool broken_ = false;        // Sending failed: what was received before is all there is.
  bool any_head_ = false;      // An interim one counts.
  bool held_ = false;
  int tries_ = 0;

  http::body_reader body_;
  bool reusable_ = false;  // The response lets its connection live on.
  base::moment sent_at_{};
  base::moment head_at_{};
  net::deadline deadline_;
};

}  // namespace onceward::gateway
