// A client's connection: reads requests one after the other, has each answered, and writes the answers in that order.
//
// The next request is not looked at before the present one is answered. After anything malformed the client gets a
// problem document and the connection ends, lingering a moment so that the client can read it. A client that stops
// sending is still answered; one that resets the connection has gone, and whoever was answering it is told.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "core/problem.h"
#include "gateway/answers.h"
#include "gateway/counters.h"
#include "gateway/worker_tools.h"
#include "http/body_reader.h"
#include "http/head_reader.h"
#include "http/writer.h"
#include "net/deadline.h"
#include "net/transport.h"

namespace onceward::gateway {

class connection;

// Answers one request of a connection. Calls come on the loop, in the order: on_body() until the last piece, with
// on_body_pause() in between and at the end; then whatever the handler asked for. It ends the answer with
// connection::end_answer() or one of those that imply it, from inside any call but on_body(), and is not called again.
class request_handler {
 public:
  // A piece of the body; the last may be empty.
  virtual void on_body(std::string_view piece, bool last) = 0;
  // All that has arrived was handed over: a good moment to pass it on.
  virtual void on_body_pause() = 0;
  // The output, which could not be sent at once, has been sent.
  virtual void on_output_sent() = 0;
  // The client has gone, or its message broke off and it was told so. The last call.
  virtual void on_client_lost() = 0;
  // Nothing runs for this request: it waits for the attempt of another.
  virtual bool merely_waits() const { return false; }

 protected:
  ~request_handler() = default;
};

// Decides who answers a request.
class request_dispatcher {
 public:
  struct accepted {
    request_handler* handler;
    std::uint64_t body_bytes_max;  // 413 beyond.
  };
  // Nothing where the request was refused at once, with connection::refuse(). The head is valid during the call. The
  // handler calls nothing of the connection that writes or ends before it is called itself.
  virtual std::optional<accepted> dispatch(connection& from, const http::request_head_view& head) = 0;

 protected:
  ~request_dispatcher() = default;
};

// Owns connections.
class connection_home {
 public:
  // The connection is over: to be destroyed, but not from inside this call.
  virtual void on_closed(connection& done) = 0;

 protected:
  ~connection_home() = default;
};

// What of the present request matters to the end of its answer.
struct request_facts {
  http::method_id verb = http::method_id::other;
  unsigned version_minor = 1;
  bool keep_alive = false;
  base::moment begun_at{};  // The head was complete.
  int status = 0;           // Of the answer, once it has begun.
  std::string log_line;     // Method and path, where requests are logged.
};

class connection final : private net::transport_user {
 public:
  connection(worker_tools& tools, std::unique_ptr<net::transport> stream, request_dispatcher& dispatcher,
             connection_home& home);
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  // Whoever answers is told that the client is lost.
  ~connection();

  // Waits for the first request.
  void start();
  // Answers nothing but this, and closes.
  void start_refusing(const core::problem& why);

  const request_dispatcher& dispatcher() const { return dispatcher_; }
  std::size_t place = 0;  // The home's own note of where it keeps the connection.

  // Ends the connection at once where nothing is under way; else its present answer is its last.
  void drain();

  // ---- For the dispatcher -------------------------------------------------------------------------------------------

  // Answers the request that is being dispatched.
  void refuse(const core::problem& why, const problem_frame& how = {});

  // ---- For the handler of the present request -----------------------------------------------------------------------

  const request_facts& request() const { return facts_; }
  std::string_view peer_ip() const { return stream_->peer_ip(); }

  // The whole message has arrived.
  bool body_complete() const;
  // Stops and goes on reading the body: while it is stopped, the client is held back.
  void hold_body();
  void go_on_with_body();

  // Where the answer is written. Appending sends nothing; flush() does.
  base::byte_buffer& output();
  std::size_t backlog() const { return output_.size(); }
  // False if the client is lost: the handler is then not called again.
  [[nodiscard]] bool flush();

  // Before the head of the final answer is appended: what to write as Connection. `until_close`: the answer ends where
  // the connection does.
  http::connection_option begin_answer(int status, bool until_close = false);
  bool answer_begun() const;
  // The answer is complete in the output.
  void end_answer(answer_kind kind);
  // A whole answer.
  void answer_problem(const core::problem& what, const problem_frame& how = {});
  // The answer cannot be completed, and the client must see that.
  void cut_answer();

  // For a connection that has become a tunnel, instead of end_answer(): whoever takes the stream sets its user. What
  // was received and not read is in input(). Ends with end_tunnel().
  net::transport& begin_tunnel();
  base::byte_buffer& input() { return input_; }
  void end_tunnel();

 private:
  struct reading_head {};
  struct answering {
    request_handler* handler = nullptr;
    http::body_reader body;
    bool body_done = false;
    bool body_held = false;
    bool head_passed = false;  // The handler was told once that nothing more is at hand.
    bool begun = false;
    bool keep = false;  // The connection lives on after the answer.
  };
  struct flushing {  // The answer is complete and the client slow.
    bool keep;
  };
  struct lingering {  // All is sent; what still comes is thrown away, so that no reset overtakes the answer.
    std::size_t bytes_left;
  };
  struct tunnelling {
    request_handler* handler;
  };
  struct closed {};

  void on_readable() override;
  void on_writable() override;
  void on_lost() override { lose(); }
  void on_deadline();

  void advance();
  bool step();
  bool read_head();
  void begin_refusal();
  void begin_request(const http::request_head_view& head);
  bool read_body();
  void on_input_ended();
  void skip_body_at_hand();
  bool wants_input() const;
  void update_interest();

  void break_off(http::parse_error why);
  void break_off(const core::problem& why);
  void after_answer(bool keep);
  void close_gently(bool unread);
  void close_now();
  void lose();
  request_handler* handler_to_tell() const;
  void count_answer(answer_kind kind);

  worker_tools& tools_;
  std::unique_ptr<net::transport> stream_;
  request_dispatcher& dispatcher_;
  connection_home& home_;

  std::variant<reading_head, answering, flushing, lingering, tunnelling, closed> state_;
  request_facts facts_;
  http::request_head_reader heads_;
  base::byte_buffer input_;
  base::byte_buffer output_;
  bool head_begun_ = false;   // Some of the next head has arrived.
  bool input_ended_ = false;  // The client sends no more.
  bool broken_ = false;       // What is still to be read cannot be made sense of.
  bool advancing_ = false;
  net::deadline deadline_;  // For what the client sends.
  net::deadline write_deadline_;
};

}  // namespace onceward::gateway
