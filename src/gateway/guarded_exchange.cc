#include "gateway/guarded_exchange.h"

#include <utility>
#include <variant>
#include <vector>

#include "base/ascii.h"
#include "base/assert.h"
#include "core/record_key.h"
#include "core/replay.h"
#include "gateway/forwarding.h"
#include "gateway/probe_target.h"

namespace onceward::gateway {
namespace {

constexpr http::field_view passed_for_outage_mark{"Onceward-Unguarded", "store-unavailable", http::field_id::other};
constexpr http::field_view not_recorded_mark{"Onceward-Not-Recorded", "true", http::field_id::other};

// Of a request or response that is over.
constexpr std::size_t bytes_kept = 4 * buffer_shelf::buffer_bytes;

// Path and query as the client sent them, without the scheme and authority of an absolute form.
std::string target_of(const http::request_head_view& head) {
  std::string target(head.path);
  if (head.query) {
    target += '?';
    target += *head.query;
  }
  return target;
}

}  // namespace

guarded_exchange::guarded_exchange(worker_tools& tools, const trusted_peers& trusted, recycler<guarded_exchange>& home)
    : tools_(tools), trusted_(trusted), home_(home), call_(tools, *this), probe_(tools, [this](auto result) {
        shell_->probe_ended(std::move(result));
      }) {}

// ---- The request ---------------------------------------------------------------------------------------------------

void guarded_exchange::begin(connection& from, const http::request_head_view& head, const route_match& route,
                             std::optional<admitted> who) {
  onceward_assert(!busy_);
  busy_ = true;
  client_ = &from;
  peer_ip_ = from.peer_ip();
  route_ = route;
  who_ = std::move(who);
  head_.assign(head);
  body_done_ = response_done_ = response_cut_ = false;
  use_ = response_use::none;
  failure_.reset();
  fingerprint_.emplace(tools_.secret, rules().recipe, &tools_.digests);
  fingerprint_->head(head.method, target_of(head), head.fields);
}

void guarded_exchange::on_body(std::string_view piece, bool last) {
  body_.append(piece);
  fingerprint_->body(piece);
  body_done_ = last;
}

void guarded_exchange::on_body_pause() {
  if (!body_done_ || shell_ || use_ != response_use::none) return;
  if (who_) return start_exchange();
  admission found = admit(rules(), tools_.secret, tools_.digests, trusted_, head_.view(), body_.readable(), peer_ip_);
  if (auto* wrong = std::get_if<core::problem>(&found)) {
    respond_problem(std::move(*wrong));
    return rest();
  }
  if (std::holds_alternative<core::no_key>(found)) return pass(answer_kind::passed);
  who_ = std::move(std::get<admitted>(found));
  start_exchange();
}

void guarded_exchange::start_exchange() {
  if (who_->whose.anonymous) tools_.counts.requests_anonymous.add();
  const http::request_head_view& head = head_.view();
  const core::policy& policy = rules().rules;
  shared_bytes fingerprint = fingerprint_->finish();
  const bool names_payload = policy.on_mismatch == core::mismatch_policy::new_operation;
  const record_key key =
      core::make_record_key(tools_.secret, who_->whose, core::operation_of(policy, head.method, head.path),
                            who_->key.value, names_payload ? std::string_view(*fingerprint) : std::string_view{});
  shell_.emplace(tools_.exchanges,
                 core::exchange_identity{key, attempt_id{tools_.random.take<16>()}, std::move(fingerprint)},
                 io::waiter_scope_of(who_->whose), policy, static_cast<io::exchange_host&>(*this));
  shell_->start();
}

void guarded_exchange::on_client_lost() {
  client_ = nullptr;
  if (use_ == response_use::streamed) call_.cancel();
  // What the client gives up is the answer, not the attempt.
  if (shell_) return shell_->client_gone();
  rest();
}

void guarded_exchange::drain() {
  if (shell_) shell_->drain();
}

// ---- To the upstream -----------------------------------------------------------------------------------------------

void guarded_exchange::forward(std::uint32_t attempt_number, fence token) {
  use_ = response_use::collected;
  response_body_.clear();
  send_to_upstream(attempt_number, token);
}

void guarded_exchange::pass_unguarded() {
  pass(answer_kind::passed_for_outage);
}

void guarded_exchange::pass(answer_kind kind) {
  use_ = response_use::streamed;
  streamed_as_ = kind;
  send_to_upstream(0, std::nullopt);
}

void guarded_exchange::send_to_upstream(std::uint32_t attempt_number, std::optional<fence> token) {
  const http::request_head_view& head = head_.view();
  const core::policy& policy = rules().rules;
  call_.begin({.verb = head.verb, .connection = {.idle_max = tools_.config.timeouts.idle_reuse_max, .checked = true}});

  forwarding_view forwarding(head, peer_ip_, tools_.config.upstreams);
  const base::decimal_text attempt(attempt_number);
  const base::decimal_text fence_number(static_cast<std::uint64_t>(token.value_or(fence{})));
  forwarding.drop(http::field_id::idempotency_attempt);
  forwarding.drop(http::field_id::idempotency_fence);
  if (token) {
    forwarding.add(http::field_id::idempotency_attempt, attempt.view());
    forwarding.add(http::field_id::idempotency_fence, fence_number.view());
  }
  std::string formed;
  if (who_ && policy.key.forwarding != core::key_forwarding::as_sent) {
    core::append_forwarded_key(formed, policy.key.forwarding, {}, who_->key.value);
    // A key that only quotes can carry stays as it was sent.
    for (const http::field_view& field : head.fields) {
      if (!http::is_field_value(formed) || !rules().keys.is_key_field(field)) continue;
      forwarding.replace(field, formed);
    }
  }
  const bool has_body = !std::holds_alternative<http::no_body>(head.framing);
  const http::body_framing framing =
      has_body ? http::body_framing{http::content_length{body_.size()}} : http::body_framing{http::no_body{}};
  http::append_forwarded_request_head(call_.request(), head, forwarding.with(framing));
  call_.request().append(body_.readable());
  call_.send(true);
}

void guarded_exchange::probe() {
  const core::policy& policy = rules().rules;
  const auto target = expand_probe_target(policy.probe.url, who_->key.value, body_.readable());
  if (!target) return shell_->probe_ended(core::probe_verdict::no_verdict);
  probe_.start(rules(), head_.view(), *target);
}

// ---- From the upstream ---------------------------------------------------------------------------------------------

void guarded_exchange::on_upstream_head(const http::response_head_view& head) {
  const bool streams = use_ == response_use::streamed;
  if (head.is_interim()) {
    if (streams) response_pipe::pass_interim(*client_, head);
    return;
  }
  tools_.latencies.note(route_.index, call_.response_time());
  if (!streams) return response_head_.assign(head);
  http::fields_view marks;
  if (streamed_as_ == answer_kind::passed_for_outage) marks = {&passed_for_outage_mark, 1};
  pipe_.begin(*client_, head, tools_.dates.text(tools_.loop.now()), marks);
}

void guarded_exchange::on_upstream_body(std::string_view piece, bool last) {
  if (use_ != response_use::streamed) return collect(piece, last);
  pipe_.append(*client_, piece, last);
  if (!last) return;
  end_answer(streamed_as_);
  rest();
}

void guarded_exchange::collect(std::string_view piece, bool last) {
  response_done_ = last;
  response_body_.append(piece);
  if (use_ == response_use::collected && response_body_.size() > rules().rules.body_bytes_stored_max) {
    use_ = response_use::held;
    if (!last) call_.hold();
    return report();
  }
  if (last && use_ == response_use::collected) report();
}

// The exchange hears of the answer; what it may do with it comes back as respond().
void guarded_exchange::report() {
  const http::response_head_view& head = response_head_.view();
  const core::stated_outcome stated = core::read_stated_outcome(head.fields);
  if (stated.ignored) tools_.counts.outcomes_ignored.add();
  core::upstream_answer answer{.status = static_cast<std::uint16_t>(head.status),
                               .stated = stated.outcome,
                               .retention = stated.retention,
                               .response = nullptr,
                               .tombstone = core::keep_tombstone(head)};
  if (use_ == response_use::collected) answer.response = rules().replays.keep(head, response_body_.readable());
  shell_->upstream_ended(std::move(answer));
}

void guarded_exchange::on_upstream_pause() {
  if (use_ != response_use::streamed) return;
  if (response_pipe::pass_on(*client_, call_)) return;
  client_ = nullptr;
  call_.cancel();
  rest();
}

void guarded_exchange::on_upstream_failed(const upstream_failure& why) {
  failure_ = why.kind;
  switch (use_) {
    case response_use::none:
      return;
    case response_use::collected:
      if (why.definite) return shell_->upstream_ended(core::definite_failure::unreachable);
      return shell_->upstream_ended(why.kind == upstream_failure_kind::timed_out ? core::indefinite_failure::timed_out
                                                                                 : core::indefinite_failure::failed);
    case response_use::held:
      // The operation was answered all the same; its client will get what there is.
      response_cut_ = true;
      return;
    case response_use::streamed:
      break;
  }
  if (client_->answer_begun()) {
    std::exchange(client_, nullptr)->cut_answer();
  } else {
    const auto state = why.definite ? core::operation_state::absent : core::operation_state::unknown;
    respond_problem(core::make_problem(problem_of(why), rules().rules, state));
  }
  rest();
}

// ---- To the client -------------------------------------------------------------------------------------------------

void guarded_exchange::respond(core::response_source source) {
  if (auto* live = std::get_if<core::respond_live>(&source)) return respond_live(live->not_recorded);
  if (auto* replay = std::get_if<core::respond_replay>(&source)) return respond_stored(replay->response, true);
  if (auto* same = std::get_if<core::respond_same>(&source)) return respond_stored(same->response, false);
  core::problem& what = std::get<core::respond_problem>(source).what;
  // The exchange knows only that nothing was sent; the client is better told why.
  if (what.type == core::problem_type::upstream_unreachable && failure_ == upstream_failure_kind::overloaded) {
    what = core::make_problem(core::problem_type::overloaded, rules().rules, what.state);
  }
  respond_problem(std::move(what));
}

void guarded_exchange::respond_live(bool not_recorded) {
  std::vector<http::field_view> extra;
  if (not_recorded) extra.push_back(not_recorded_mark);
  if (const auto echo = key_echo()) extra.push_back(*echo);
  const std::optional<std::uint64_t> length =
      response_done_ ? std::optional<std::uint64_t>(response_body_.size()) : std::nullopt;
  pipe_.begin(*client_, response_head_.view(), tools_.dates.text(tools_.loop.now()), extra, length);
  pipe_.append(*client_, response_body_.readable(), response_done_);
  response_body_.clear();
  const answer_kind kind = not_recorded ? answer_kind::not_recorded : answer_kind::executed;
  if (response_done_) return end_answer(kind);

  use_ = response_use::streamed;
  streamed_as_ = kind;
  if (response_cut_) return std::exchange(client_, nullptr)->cut_answer();
  if (!client_->flush()) {
    client_ = nullptr;
    return call_.cancel();
  }
  call_.go_on();
}

void guarded_exchange::respond_stored(const shared_bytes& stored, bool marked) {
  const auto response = core::read_response(*stored);
  if (!response) {
    tools_.log.error("stored-response-unreadable",
                     {{"record", key_hash(shell_->key())}, {"reason", to_string(response.error())}});
    return respond_problem(
        core::make_problem(core::problem_type::result_gone, rules().rules, core::operation_state::completed));
  }
  const auto echo = key_echo();
  const core::stored_response_sending how{.date = tools_.dates.text(tools_.loop.now()),
                                          .extra = {echo ? &*echo : nullptr, echo ? 1u : 0u},
                                          .connection = client_->begin_answer(response->status)};
  if (marked) {
    core::append_replay(client_->output(), *response, rules().replays, how);
  } else {
    core::append_shared_answer(client_->output(), *response, how);
  }
  end_answer(marked ? answer_kind::replayed : answer_kind::shared);
}

void guarded_exchange::respond_problem(core::problem what) {
  const auto echo = key_echo();
  problem_frame how{.retry_after = tools_.latencies.retry_after(route_.index), .hints = &rules().rules.retry_hints};
  if (echo) how.extra = {&*echo, 1};
  std::exchange(client_, nullptr)->answer_problem(what, how);
}

void guarded_exchange::end_answer(answer_kind kind) {
  std::exchange(client_, nullptr)->end_answer(kind);
}

std::optional<http::field_view> guarded_exchange::key_echo() const {
  if (!rules().rules.key.echo) return std::nullopt;
  for (const http::field_view& field : head_.view().fields) {
    if (rules().keys.is_key_field(field)) return http::make_field(rules().rules.key.header, field.value);
  }
  return std::nullopt;
}

// ---- The end -------------------------------------------------------------------------------------------------------

void guarded_exchange::finished() {
  probe_.cancel();
  shell_.reset();
  // Nobody is left who could want the rest.
  if (use_ == response_use::held || client_ == nullptr) call_.cancel();
  rest();
}

void guarded_exchange::rest() {
  if (!busy_ || client_ != nullptr || shell_) return;
  busy_ = false;
  call_.cancel();
  fingerprint_.reset();
  who_.reset();
  body_.clear();
  body_.release_above(bytes_kept);
  response_body_.clear();
  response_body_.release_above(bytes_kept);
  home_.give_back(*this);
}

}  // namespace onceward::gateway
