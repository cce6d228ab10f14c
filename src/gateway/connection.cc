#include "gateway/connection.h"

#include <utility>

#include "base/assert.h"

namespace onceward::gateway {
namespace {

using std::chrono::milliseconds;

// Received in a row, before others of the loop have their turn.
constexpr int receives_per_turn = 4;

// Bytes of later requests that are taken while one is answered.
constexpr std::size_t pipelined_bytes_max = buffer_shelf::buffer_bytes;

// After the last answer: how long, and how much, a client may go on sending before it is cut off.
constexpr milliseconds linger_time{2'000};
constexpr std::size_t linger_bytes_max = std::size_t{4} << 20;

http::head_limits head_limits_of(const limit_settings& from) {
  return {.start_line_bytes_max = from.target_bytes_max,
          .head_bytes_max = from.header_bytes_max,
          .fields_max = from.header_fields_max};
}

core::problem too_slow() {
  return http_problem(408, "request-timeout", "The request did not arrive in the time that it may take.");
}

}  // namespace

connection::connection(worker_tools& tools, std::unique_ptr<net::transport> stream, request_dispatcher& dispatcher,
                       connection_home& home)
    : tools_(tools),
      stream_(std::move(stream)),
      dispatcher_(dispatcher),
      home_(home),
      heads_(head_limits_of(tools.config.limits)),
      deadline_(tools.loop, [this] { on_deadline(); }),
      write_deadline_(tools.loop, [this] { lose(); }) {
  stream_->set_user(this);
}

connection::~connection() {
  request_handler* const handler = handler_to_tell();
  state_ = closed{};
  if (handler != nullptr) handler->on_client_lost();
}

void connection::start() {
  deadline_.arm(tools_.loop.now() + tools_.config.timeouts.client_idle);
  stream_->await_readable();
}

void connection::start_refusing(const core::problem& why) {
  begin_refusal();
  broken_ = true;
  answer_problem(why);
}

// There is no request to answer, but there is an answer.
void connection::begin_refusal() {
  state_ = answering{};
  facts_ = {};
  facts_.begun_at = tools_.loop.now();
}

void connection::drain() {
  if (std::holds_alternative<reading_head>(state_) && !head_begun_ && input_.empty()) close_now();
}

// ---- Reading -------------------------------------------------------------------------------------------------------

void connection::on_readable() {
  tools_.buffers.equip(input_);
  for (int i = 0; i < receives_per_turn && wants_input(); ++i) {
    const std::span<char> room = input_.prepare(buffer_shelf::buffer_bytes);
    const net::transfer got = stream_->receive(room);
    if (got.status == net::transfer_status::failed) return lose();
    if (got.status == net::transfer_status::ended) on_input_ended();
    if (got.status != net::transfer_status::moved) break;
    input_.commit(got.bytes);
    tools_.counts.client_bytes_received.add(got.bytes);
    advance();
    if (got.bytes < room.size()) break;
  }
  tools_.buffers.put_back(input_);
  update_interest();
}

void connection::on_input_ended() {
  input_ended_ = true;
  if (const auto* now = std::get_if<answering>(&state_)) {
    if (!now->body_done) return break_off(http::parse_error::body_truncated);
    // Who ends its side and only waits for another's attempt has most likely given up; its place is for somebody else.
    if (now->handler != nullptr && now->handler->merely_waits()) return lose();
    return stream_->await_lost();
  }
  if (std::holds_alternative<flushing>(state_)) return stream_->await_lost();
  close_now();
}

bool connection::wants_input() const {
  if (input_ended_) return false;
  if (const auto* now = std::get_if<answering>(&state_)) {
    return now->body_done ? input_.size() < pipelined_bytes_max : !now->body_held;
  }
  if (const auto* now = std::get_if<flushing>(&state_)) return now->keep && input_.size() < pipelined_bytes_max;
  return std::holds_alternative<reading_head>(state_) || std::holds_alternative<lingering>(state_);
}

// Also while a request is answered: that is how a client that goes away is noticed.
void connection::update_interest() {
  if (wants_input()) stream_->await_readable();
}

// Takes in what has arrived, as far as it can be. A handler may answer from inside, so that this is reached again.
void connection::advance() {
  if (advancing_) return;
  advancing_ = true;
  while (step()) {
  }
  advancing_ = false;
  if (input_ended_ && std::holds_alternative<reading_head>(state_)) close_now();
}

bool connection::step() {
  if (std::holds_alternative<reading_head>(state_)) return read_head();
  if (std::holds_alternative<answering>(state_)) return read_body();
  if (auto* now = std::get_if<lingering>(&state_)) {
    if (now->bytes_left < input_.size()) {
      close_now();
    } else {
      now->bytes_left -= input_.size();
      input_.clear();
    }
  }
  return false;
}

bool connection::read_head() {
  if (input_.empty()) return false;
  const auto read = heads_.feed(input_.readable());
  if (std::holds_alternative<http::need_more>(read)) {
    if (!std::exchange(head_begun_, true)) {
      deadline_.arm(tools_.loop.now() + tools_.config.timeouts.client_head);
    }
    return false;
  }
  head_begun_ = false;
  if (const auto* error = std::get_if<http::parse_error>(&read)) {
    begin_refusal();
    break_off(*error);
    return false;
  }
  begin_request(std::get<http::request_head_view>(read));
  return true;
}

void connection::begin_request(const http::request_head_view& head) {
  input_.consume(head.bytes);
  facts_.verb = head.verb;
  facts_.version_minor = head.version_minor;
  facts_.keep_alive = head.keep_alive;
  facts_.begun_at = tools_.loop.now();
  facts_.status = 0;
  if (tools_.config.log.requests) {
    facts_.log_line = head.method;
    facts_.log_line += ' ';
    facts_.log_line += head.path;
  }
  auto& now = state_.emplace<answering>();
  now.body = http::body_reader(head.framing, {});
  const auto accepted = dispatcher_.dispatch(*this, head);
  if (accepted) {
    now.handler = accepted->handler;
    now.body = http::body_reader(head.framing, {.body_bytes_max = accepted->body_bytes_max});
    const auto* length = std::get_if<http::content_length>(&head.framing);
    if (length != nullptr && length->bytes > accepted->body_bytes_max) {
      break_off(http::parse_error::body_too_large);
    } else if (head.expects_continue && !now.body.done() && input_.empty()) {
      output().append("HTTP/1.1 100 Continue\r\n\r\n");
      if (!flush()) accepted->handler->on_client_lost();
    }
  }
  heads_.next();
}

// Hands the body over as far as it has arrived. False where there is nothing to do now.
bool connection::read_body() {
  auto& now = std::get<answering>(state_);
  if (now.body_done || now.body_held || now.handler == nullptr) return false;
  if (input_.empty() && !now.body.done()) {
    // The body is still to come: the head need not wait for it.
    if (std::exchange(now.head_passed, true)) return false;
    deadline_.arm(tools_.loop.now() + tools_.config.timeouts.client_body);
    now.handler->on_body_pause();
    return true;
  }
  now.head_passed = true;
  do {
    const auto step = now.body.consume(input_.readable());
    if (const auto* error = std::get_if<http::parse_error>(&step)) {
      break_off(*error);
      return true;
    }
    const auto& progress = std::get<http::body_progress>(step);
    input_.consume(progress.consumed);
    now.body_done = progress.done;
    if (progress.done || !progress.data.empty()) now.handler->on_body(progress.data, progress.done);
  } while (!now.body_done && !now.body_held && !input_.empty());
  if (!now.body_done) deadline_.arm(tools_.loop.now() + tools_.config.timeouts.client_body);
  now.handler->on_body_pause();
  return true;
}

bool connection::body_complete() const {
  return std::get<answering>(state_).body_done;
}

void connection::hold_body() {
  std::get<answering>(state_).body_held = true;
}

void connection::go_on_with_body() {
  auto& now = std::get<answering>(state_);
  if (!std::exchange(now.body_held, false) || now.body_done) return;
  deadline_.arm(tools_.loop.now() + tools_.config.timeouts.client_body);
  advance();
  update_interest();
}

void connection::on_deadline() {
  if (std::holds_alternative<reading_head>(state_)) {
    if (!head_begun_) return close_now();
    begin_refusal();
    tools_.counts.requests_too_slow.add();
    return break_off(too_slow());
  }
  if (const auto* now = std::get_if<answering>(&state_)) {
    // The deadline of the last message's bytes is left armed when they have all come.
    if (now->body_done || now->body_held) return;
    tools_.counts.requests_too_slow.add();
    return break_off(too_slow());
  }
  if (std::holds_alternative<lingering>(state_)) close_now();
}

// ---- Writing -------------------------------------------------------------------------------------------------------

base::byte_buffer& connection::output() {
  tools_.buffers.equip(output_);
  return output_;
}

bool connection::flush() {
  while (!output_.empty()) {
    const net::transfer moved = stream_->send(output_.readable());
    if (moved.status == net::transfer_status::would_block) {
      write_deadline_.arm(tools_.loop.now() + tools_.config.timeouts.client_write);
      stream_->await_writable();
      return true;
    }
    if (moved.status != net::transfer_status::moved) {
      // Not a call that the handler is in the middle of: it learns from the result.
      if (auto* now = std::get_if<answering>(&state_)) now->handler = nullptr;
      lose();
      return false;
    }
    output_.consume(moved.bytes);
    tools_.counts.client_bytes_sent.add(moved.bytes);
  }
  write_deadline_.cancel();
  tools_.buffers.put_back(output_);
  return true;
}

void connection::on_writable() {
  if (std::holds_alternative<closed>(state_)) return;
  request_handler* const handler = handler_to_tell();
  if (!flush()) {
    if (handler != nullptr) handler->on_client_lost();
    return;
  }
  if (!output_.empty()) return;
  if (const auto* now = std::get_if<flushing>(&state_)) return after_answer(now->keep);
  if (handler != nullptr) handler->on_output_sent();
}

http::connection_option connection::begin_answer(int status, bool until_close) {
  auto& now = std::get<answering>(state_);
  onceward_assert(!now.begun);
  now.begun = true;
  now.keep = facts_.keep_alive && now.body_done && !until_close && !broken_ && !tools_.draining &&
             !(input_ended_ && input_.empty());
  facts_.status = status;
  if (!now.keep) return http::connection_option::close;
  return facts_.version_minor == 0 ? http::connection_option::keep_alive : http::connection_option::none;
}

bool connection::answer_begun() const {
  return std::get<answering>(state_).begun;
}

void connection::end_answer(answer_kind kind) {
  const bool keep = std::get<answering>(state_).keep;
  const bool unread = !std::get<answering>(state_).body_done;
  broken_ = broken_ || unread;
  count_answer(kind);
  state_ = flushing{keep};
  if (!flush() || !output_.empty()) return;
  after_answer(keep);
}

void connection::after_answer(bool keep) {
  if (!keep) return close_gently(broken_ || !input_.empty());
  if (tools_.draining && input_.empty()) return close_now();
  state_ = reading_head{};
  deadline_.arm(tools_.loop.now() + tools_.config.timeouts.client_idle);
  advance();
  if (!advancing_) tools_.buffers.put_back(input_);
  update_interest();
}

void connection::answer_problem(const core::problem& what, const problem_frame& how) {
  const http::connection_option option = begin_answer(what.status);
  append_problem(output(), what,
                 {.date = tools_.dates.text(tools_.loop.now()),
                  .connection = option,
                  .head_only = facts_.verb == http::method_id::head,
                  .lookup_prefix = tools_.config.lookup_prefix},
                 how);
  tools_.counts.problems[slot(what.type)].add();
  end_answer(answer_kind::refused);
}

void connection::refuse(const core::problem& why, const problem_frame& how) {
  skip_body_at_hand();
  answer_problem(why, how);
}

// A refused request whose body has already come need not cost the connection.
void connection::skip_body_at_hand() {
  auto& now = std::get<answering>(state_);
  while (!now.body_done) {
    if (input_.empty() && !now.body.done()) return;
    const auto step = now.body.consume(input_.readable());
    const auto* progress = std::get_if<http::body_progress>(&step);
    if (progress == nullptr) return;
    input_.consume(progress->consumed);
    now.body_done = progress->done;
  }
}

void connection::cut_answer() {
  stream_->reset_on_close();
  std::get<answering>(state_).handler = nullptr;
  count_answer(answer_kind::abandoned);
  close_now();
}

// ---- The end -------------------------------------------------------------------------------------------------------

void connection::break_off(http::parse_error why) {
  tools_.counts.malformed[slot(why)].add();
  break_off(http_problem(why));
}

void connection::break_off(const core::problem& why) {
  auto& now = std::get<answering>(state_);
  request_handler* const handler = std::exchange(now.handler, nullptr);
  broken_ = true;
  if (now.begun) {
    cut_answer();
  } else {
    answer_problem(why);
  }
  if (handler != nullptr) handler->on_client_lost();
}

void connection::close_gently(bool unread) {
  if (!unread || input_ended_) return close_now();
  stream_->end_sending();
  input_.clear();
  state_ = lingering{linger_bytes_max};
  deadline_.arm(tools_.loop.now() + linger_time);
  update_interest();
}

void connection::close_now() {
  state_ = closed{};
  deadline_.cancel();
  write_deadline_.cancel();
  stream_->set_user(nullptr);
  home_.on_closed(*this);
}

void connection::lose() {
  if (std::holds_alternative<closed>(state_)) return;
  request_handler* const handler = handler_to_tell();
  if (std::holds_alternative<answering>(state_)) count_answer(answer_kind::abandoned);
  close_now();
  if (handler != nullptr) handler->on_client_lost();
}

request_handler* connection::handler_to_tell() const {
  if (const auto* now = std::get_if<answering>(&state_)) return now->handler;
  if (const auto* now = std::get_if<tunnelling>(&state_)) return now->handler;
  return nullptr;
}

void connection::count_answer(answer_kind kind) {
  const auto took = tools_.loop.now() - facts_.begun_at;
  tools_.counts.answers[slot(kind)].add();
  tools_.counts.answer_times[slot(kind)].add(took);
  if (!tools_.config.log.requests) return;
  tools_.log.info("request", {{"request", facts_.log_line},
                                 {"status", facts_.status},
                                 {"answer", to_string(kind)},
                                 {"milliseconds", static_cast<double>(took.count()) / 1000.0}});
}

net::transport& connection::begin_tunnel() {
  state_ = tunnelling{std::get<answering>(state_).handler};
  deadline_.cancel();
  return *stream_;
}

void connection::end_tunnel() {
  std::get<tunnelling>(state_).handler = nullptr;
  count_answer(answer_kind::passed);
  close_now();
}

}  // namespace onceward::gateway
