// A guarded request: read as a whole, given to an exchange, forwarded at most once, answered when the exchange says so.
//
// It owns the request's bytes and lives on when its client goes away: the attempt then runs to its end and is recorded
// all the same. Requests that turn out to have no key, and those that are passed because the store failed, end here
// too: they are forwarded from the bytes that were kept, and their responses streamed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "core/exchange.h"
#include "core/fingerprint.h"
#include "core/outcome.h"
#include "gateway/admission.h"
#include "gateway/connection.h"
#include "gateway/recycler.h"
#include "gateway/response_pipe.h"
#include "gateway/route_table.h"
#include "gateway/upstream_call.h"
#include "gateway/upstream_probe.h"
#include "gateway/worker_tools.h"
#include "http/kept_head.h"
#include "io/exchange_shell.h"

namespace onceward::gateway {

// Taken from its recycler for a request and given back, by itself, when client, exchange and upstream are done with it.
class guarded_exchange final : public request_handler, private io::exchange_host, private upstream_call_user {
 public:
  guarded_exchange(worker_tools& tools, const trusted_peers& trusted, recycler<guarded_exchange>& home);

  // `who` is nothing where the key may be in the body.
  void begin(connection& from, const http::request_head_view& head, const route_match& route,
             std::optional<admitted> who);

  // A client that merely waits is answered now.
  void drain();

  // ---- For the connection -------------------------------------------------------------------------------------------
  void on_body(std::string_view piece, bool last) override;
  void on_body_pause() override;
  void on_output_sent() override { call_.go_on(); }
  void on_client_lost() override;
  bool merely_waits() const override { return shell_ && shell_->is_waiting(); }

 private:
  // What comes from the upstream is ...
  enum class response_use : std::uint8_t {
    none,       // ... not expected.
    collected,  // ... kept, to be recorded.
    held,       // ... more than is kept: the rest waits until the client may have it.
    streamed,   // ... passed to the client as it comes.
  };

  // ---- For the exchange ---------------------------------------------------------------------------------------------
  void forward(std::uint32_t attempt_number, fence token) override;
  void pass_unguarded() override;
  void probe() override;
  void respond(core::response_source source) override;
  void note(core::noted what) override { tools_.counts.noted[slot(what)].add(); }
  void finished() override;

  // ---- For the upstream ---------------------------------------------------------------------------------------------
  bool may_send() const override { return use_ != response_use::collected || shell_->may_send_attempt(); }
  void on_upstream_head(const http::response_head_view& head) override;
  void on_upstream_body(std::string_view piece, bool last) override;
  void on_upstream_pause() override;
  void on_upstream_sent() override {}
  void on_upstream_failed(const upstream_failure& why) override;

  void start_exchange();
  void send_to_upstream(std::uint32_t attempt_number, std::optional<fence> token);
  void pass(answer_kind kind);
  void collect(std::string_view piece, bool last);
  void report();
  void respond_live(bool not_recorded);
  void respond_stored(const shared_bytes& stored, bool marked);
  void respond_problem(core::problem what);
  void end_answer(answer_kind kind);
  problem_frame frame() const;
  std::optional<http::field_view> key_echo() const;
  // Gives the object back if nothing holds it any more: the last thing that any function does.
  void rest();

  const core::prepared_policy& rules() const { return *route_.rules; }

  worker_tools& tools_;
  const trusted_peers& trusted_;
  recycler<guarded_exchange>& home_;

  connection* client_ = nullptr;
  std::string peer_ip_;
  route_match route_{};
  std::optional<admitted> who_;
  http::kept_request_head head_;
  base::byte_buffer body_;
  bool body_done_ = false;
  std::optional<core::fingerprint_builder> fingerprint_;
  std::optional<io::exchange_shell> shell_;

  upstream_call call_;
  upstream_probe probe_;
  response_use use_ = response_use::none;
  bool response_done_ = false;
  bool response_cut_ = false;  // It ended before it was complete, after it was reported.
  std::optional<upstream_failure_kind> failure_;
  answer_kind streamed_as_ = answer_kind::passed;
  http::kept_response_head response_head_;
  base::byte_buffer response_body_;
  response_pipe pipe_;
  bool busy_ = false;  // Taken from the recycler.
};

}  // namespace onceward::gateway
