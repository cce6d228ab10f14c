#include "gateway/relay.h"

#include <utility>
#include <variant>

#include "base/assert.h"
#include "gateway/forwarding.h"

namespace onceward::gateway {
namespace {

// Bytes of a request that may wait for a slow upstream before the client is held back.
constexpr std::size_t backlog_max = 4 * buffer_shelf::buffer_bytes;

// RFC 9110 section 9.2.2.
bool is_idempotent(http::method_id verb) {
  return http::is_safe(verb) || verb == http::method_id::put || verb == http::method_id::delete_;
}

}  // namespace

relay::relay(worker_tools& tools, recycler<relay>& home) : tools_(tools), home_(home), call_(tools, *this) {}

void relay::begin(connection& from, const http::request_head_view& head, const route_match& route) {
  client_ = &from;
  route_ = route;
  chunks_ = std::holds_alternative<http::chunked>(head.framing);
  body_last_ = body_sent_ = false;

  const bool has_body = !std::holds_alternative<http::no_body>(head.framing);
  const bool repeatable = is_idempotent(head.verb);
  // An upgrade of a request that has a body has no meaning that all agree on.
  const bool upgrade = head.asks_upgrade && !has_body && route.rules->rules.unguarded_upgrades;
  call_.begin({.verb = head.verb,
               .repeatable = repeatable,
               .asks_upgrade = upgrade,
               .connection = {.idle_max = tools_.config.timeouts.upstream_idle, .checked = !repeatable}});
  const forwarding_view forwarding(head, from.peer_ip(), tools_.config.upstreams);
  http::request_forwarding how = forwarding.with(head.framing);
  how.upgrade = upgrade;
  http::append_forwarded_request_head(call_.request(), head, how);
}

// ---- The request ---------------------------------------------------------------------------------------------------

void relay::on_body(std::string_view piece, bool last) {
  body_last_ = last;
  if (!chunks_) return call_.request().append(piece);
  if (!piece.empty()) http::append_chunk(call_.request(), piece);
  if (last) http::append_last_chunk(call_.request());
}

void relay::on_body_pause() {
  if (body_sent_) return;
  body_sent_ = body_last_;
  call_.send(body_last_);
  if (client_ != nullptr && call_.backlog() > backlog_max) client_->hold_body();
}

// ---- The response --------------------------------------------------------------------------------------------------

void relay::on_upstream_head(const http::response_head_view& head) {
  if (head.is_interim()) return response_pipe::pass_interim(*client_, head);
  if (head.status == 101) return switch_protocols(head);
  if (call_.sent_whole()) tools_.latencies.note(route_.index, call_.response_time());
  pipe_.begin(*client_, head, tools_.dates.text(tools_.loop.now()));
}

void relay::on_upstream_body(std::string_view piece, bool last) {
  pipe_.append(*client_, piece, last);
  if (!last) return;
  connection& client = *std::exchange(client_, nullptr);
  home_.give_back(*this);
  client.end_answer(answer_kind::passed);
}

void relay::on_upstream_pause() {
  if (!response_pipe::pass_on(*client_, call_)) end();
}

void relay::on_upstream_failed(const upstream_failure& why) {
  connection& client = *std::exchange(client_, nullptr);
  home_.give_back(*this);
  if (client.answer_begun()) return client.cut_answer();
  const core::policy& rules = route_.rules->rules;
  const auto state = why.definite ? core::operation_state::absent : core::operation_state::unknown;
  client.answer_problem(core::make_problem(problem_of(why), rules, state),
                        {.retry_after = tools_.latencies.retry_after(route_.index), .hints = &rules.retry_hints});
}

void relay::switch_protocols(const http::response_head_view& head) {
  client_->begin_answer(head.status, true);
  http::append_forwarded_response_head(client_->output(), head, {.upgrade = true});
  tunnelled_ = &call_.take_connection();
  base::byte_buffer& greeting = client_->output();
  greeting.append(tunnelled_->input().readable());
  net::transport& client = client_->begin_tunnel();
  net::transport& upstream = tunnelled_->stream();
  tunnel_.emplace(tools_, client, upstream, client_->input().readable(), greeting.readable(), [this] {
    connection& done = *client_;
    end();
    done.end_tunnel();
  });
  greeting.clear();
  tunnel_->start();
}

// The client has gone, or its tunnel is over. An unguarded request ends with its client.
void relay::end() {
  tunnel_.reset();
  if (tunnelled_ != nullptr) tools_.upstreams.discard(*std::exchange(tunnelled_, nullptr));
  call_.cancel();
  client_ = nullptr;
  home_.give_back(*this);
}

}  // namespace onceward::gateway
