#include "gateway/upstream_call.h"

#include <utility>
#include <variant>

#include "base/assert.h"

namespace onceward::gateway {
namespace {

// Of one request, on different connections.
constexpr int tries_max = 3;

// Received at once, and how often in a row, before others of the loop have their turn.
constexpr std::size_t receive_bytes = buffer_shelf::buffer_bytes;
constexpr int receives_per_turn = 4;

constexpr std::size_t request_bytes_kept = 4 * buffer_shelf::buffer_bytes;

constexpr upstream_demand new_connection{.idle_max = base::moment::duration(-1), .checked = false};

}  // namespace

core::problem_type problem_of(const upstream_failure& why) {
  if (why.kind == upstream_failure_kind::overloaded) return core::problem_type::overloaded;
  if (why.definite) return core::problem_type::upstream_unreachable;
  return why.kind == upstream_failure_kind::timed_out ? core::problem_type::upstream_timeout
                                                      : core::problem_type::upstream_failed;
}

upstream_call::upstream_call(worker_tools& tools, upstream_call_user& user)
    : tools_(tools), user_(user), deadline_(tools.loop, [this] { fail(upstream_failure_kind::timed_out); }) {}

void upstream_call::begin(const manner& how) {
  onceward_assert(stage_ == stage::idle);
  how_ = how;
  stage_ = stage::begun;
  request_.clear();
  sent_ = 0;
  whole_ = true;
  complete_ = any_accepted_ = broken_ = any_head_ = held_ = reusable_ = false;
  tries_ = 0;
}

void upstream_call::end() {
  connection_ = nullptr;
  stage_ = stage::idle;
  ++generation_;
  deadline_.cancel();
  request_.clear();
  request_.release_above(request_bytes_kept);
}

void upstream_call::cancel() {
  if (stage_ == stage::idle) return;
  tools_.upstreams.leave(*this);
  upstream_connection* const used = connection_;
  end();
  if (used != nullptr) tools_.upstreams.discard(*used);
}

upstream_connection& upstream_call::take_connection() {
  onceward_assert(stage_ == stage::receiving);
  upstream_connection& taken = *connection_;
  end();
  return taken;
}

// ---- Sending -------------------------------------------------------------------------------------------------------

void upstream_call::send(bool last) {
  onceward_assert(stage_ != stage::idle && !complete_);
  complete_ = last;
  if (stage_ == stage::begun) {
    stage_ = stage::acquiring;
    return tools_.upstreams.acquire(*this, how_.connection);
  }
  if (connection_ != nullptr) push();
}

void upstream_call::on_connection(upstream_connection& ready) {
  connection_ = &ready;
  if (!still_sends()) return fail(upstream_failure_kind::timed_out);
  stage_ = stage::awaiting_head;
  ++tries_;
  ready.set_user(*this);
  ready.heads().start(how_.verb);
  tools_.counts.upstream_requests.add();
  push_and_tell();
}

// Asked before bytes go out only: once they have, only what became of them says whether the request may have run.
bool upstream_call::still_sends() const {
  return user_.may_send();
}

void upstream_call::on_no_connection(upstream_failure_kind why) {
  fail(why);
}

void upstream_call::push() {
  if (broken_) return;
  while (backlog() > 0) {
    // Of a request of which nothing was accepted, what send() says may have become of it comes first.
    if (any_accepted_ && !user_.may_send()) return fail(upstream_failure_kind::timed_out);
    const net::transfer moved = connection_->stream().send(request_.readable().substr(sent_));
    if (moved.status == net::transfer_status::would_block) {
      if (sent_ > request_bytes_kept) forget_sent();
      connection_->stream().await_writable();
      return arm_deadline();
    }
    if (moved.status != net::transfer_status::moved) {
      broken_ = true;
      // The upstream may have answered before it hung up on the rest of the request.
      return any_accepted_ ? receive() : lost(upstream_failure_kind::lost);
    }
    any_accepted_ = true;
    sent_ += moved.bytes;
  }
  if (complete_) {
    sent_at_ = tools_.loop.now();
  } else {
    forget_sent();
  }
  arm_deadline();
}

// What is kept for another try is bounded: a request that is still coming in goes on without.
void upstream_call::forget_sent() {
  if (sent_ == 0) return;
  request_.consume(std::exchange(sent_, 0));
  whole_ = false;
}

void upstream_call::on_upstream_writable() {
  if (stage_ != stage::idle) push_and_tell();
}

// For bytes that could not be sent from inside send().
void upstream_call::push_and_tell() {
  const std::uint32_t generation = generation_;
  push();
  if (generation == generation_ && backlog() == 0) user_.on_upstream_sent();
}

// While the request is still coming from the client, the client's own deadlines bound the call.
void upstream_call::arm_deadline() {
  const timeout_settings& bounds = tools_.config.timeouts;
  if (held_ || (backlog() == 0 && !complete_)) return deadline_.cancel();
  const bool receiving = stage_ == stage::receiving;
  deadline_.arm(tools_.loop.now() + (receiving ? bounds.upstream_body : bounds.upstream_response));
}

// ---- Receiving -----------------------------------------------------------------------------------------------------

void upstream_call::hold() {
  held_ = true;
  arm_deadline();
}

void upstream_call::go_on() {
  held_ = false;
  if (connection_ == nullptr) return;
  arm_deadline();
  connection_->stream().await_readable();
}

void upstream_call::on_upstream_readable() {
  if (!held_) receive();
}

void upstream_call::receive() {
  base::byte_buffer& input = connection_->input();
  for (int i = 0; i < receives_per_turn && !held_; ++i) {
    tools_.buffers.equip(input);
    const std::span<char> room = input.prepare(receive_bytes);
    const net::transfer got = connection_->stream().receive(room);
    if (got.status == net::transfer_status::ended) return peer_ended();
    if (got.status == net::transfer_status::failed) return lost(upstream_failure_kind::lost);
    if (got.status == net::transfer_status::would_block) break;
    input.commit(got.bytes);
    if (!take_in()) return;
    if (got.bytes < room.size()) break;
  }
  tools_.buffers.put_back(input);
  if (stage_ == stage::receiving) arm_deadline();
  if (!held_) connection_->stream().await_readable();
  user_.on_upstream_pause();
}

bool upstream_call::take_in() {
  if (stage_ == stage::awaiting_head && !take_heads()) return false;
  return stage_ != stage::receiving || take_body();
}

bool upstream_call::take_heads() {
  while (true) {
    base::byte_buffer& input = connection_->input();
    const auto read = connection_->heads().feed(input.readable());
    if (std::holds_alternative<http::need_more>(read)) return true;
    const auto* head = std::get_if<http::response_head_view>(&read);
    if (head == nullptr || (head->status == 101 && !how_.asks_upgrade)) {
      fail(upstream_failure_kind::malformed);
      return false;
    }
    any_head_ = true;
    input.consume(head->bytes);
    const bool interim = head->is_interim();
    if (!interim) {
      stage_ = stage::receiving;
      head_at_ = tools_.loop.now();
      if (sent_whole()) tools_.counts.upstream_times.add(response_time());
      reusable_ = head->keep_alive;
      body_ = http::body_reader(head->framing, {});
    }
    const std::uint32_t generation = generation_;
    user_.on_upstream_head(*head);
    if (generation != generation_) return false;
    if (!interim) return true;
    connection_->heads().next();
  }
}

bool upstream_call::take_body() {
  const std::uint32_t generation = generation_;
  while (!body_.done()) {
    base::byte_buffer& input = connection_->input();
    const auto step = body_.consume(input.readable());
    const auto* progress = std::get_if<http::body_progress>(&step);
    if (progress == nullptr) {
      fail(upstream_failure_kind::malformed);
      return false;
    }
    input.consume(progress->consumed);
    if (progress->done) {
      finish(progress->data);
      return false;
    }
    if (progress->consumed == 0) return true;
    if (progress->data.empty()) continue;
    user_.on_upstream_body(progress->data, false);
    if (generation != generation_) return false;
  }
  finish({});
  return false;
}

void upstream_call::peer_ended() {
  if (stage_ == stage::receiving && !body_.finish()) return finish({});
  lost(upstream_failure_kind::lost);
}

// ---- The end -------------------------------------------------------------------------------------------------------

void upstream_call::lost(upstream_failure_kind why) {
  const bool unanswered = stage_ == stage::awaiting_head && !any_head_ && connection_->input().empty();
  const bool stale = how_.repeatable && connection_->reused() && unanswered;
  if (!whole_ || tries_ >= tries_max || (any_accepted_ && !stale)) return fail(why);
  tools_.counts.upstream_requests_retried.add();
  tools_.upstreams.discard(*std::exchange(connection_, nullptr));
  deadline_.cancel();
  stage_ = stage::acquiring;
  sent_ = 0;
  broken_ = false;
  tools_.upstreams.acquire(*this, new_connection);
}

void upstream_call::fail(upstream_failure_kind why) {
  tools_.counts.upstream_failures[slot(why)].add();
  const upstream_failure failure{why, !any_accepted_};
  upstream_connection* const used = connection_;
  end();
  if (used != nullptr) tools_.upstreams.discard(*used);
  user_.on_upstream_failed(failure);
}

void upstream_call::finish(std::string_view last_piece) {
  upstream_connection& used = *connection_;
  const bool reusable = reusable_ && sent_whole() && !broken_ && used.input().empty();
  worker_tools& tools = tools_;
  end();
  user_.on_upstream_body(last_piece, true);
  // From here on the call may be another one. The piece was a view of the connection's input until now.
  tools.buffers.put_back(used.input());
  if (reusable) return tools.upstreams.give_back(used);
  tools.upstreams.discard(used);
}

}  // namespace onceward::gateway
