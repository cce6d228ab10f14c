#include "gateway/local_request.h"

#include <utility>

#include "core/record_codec.h"
#include "core/replay.h"
#include "gateway/answers.h"

namespace onceward::gateway {

void local_request::begin(connection& from, const http::request_head_view& head, local_handler& by) {
  client_ = &from;
  handler_ = &by;
  head_.assign(head);
  body_.clear();
  body_done_ = false;
}

void local_request::on_body(std::string_view piece, bool last) {
  body_ += piece;
  body_done_ = last;
}

void local_request::on_body_pause() {
  if (!body_done_ || exchange_ != nullptr) return;
  starting_ = true;
  exchange_ = handler_->start({head_.view(), body_, client_->peer_ip()}, *this);
  starting_ = false;
  if (client_ == nullptr) end();
}

void local_request::document(int status, std::string_view content_type, std::string_view body) {
  const http::connection_option option = client_->begin_answer(status);
  append_document(client_->output(), status, content_type, body,
                  {.date = tools_.dates.text(tools_.loop.now()),
                   .connection = option,
                   .head_only = head_only(),
                   .lookup_prefix = tools_.config.lookup_prefix});
  std::exchange(client_, nullptr)->end_answer(answer_kind::local);
  end();
}

void local_request::problem(const core::problem& what) {
  std::exchange(client_, nullptr)->answer_problem(what);
  end();
}

void local_request::replay(const shared_bytes& response, const core::prepared_policy& rules) {
  auto stored = core::read_response(*response);
  if (!stored) {
    tools_.log.error("stored-response-unreadable", {{"reason", to_string(stored.error())}});
    return problem(core::make_problem(core::problem_type::result_gone, rules.rules, core::operation_state::completed));
  }
  if (head_only()) stored->body = {};
  core::append_replay(
      client_->output(), *stored, rules.replays,
      {.date = tools_.dates.text(tools_.loop.now()), .connection = client_->begin_answer(stored->status)});
  std::exchange(client_, nullptr)->end_answer(answer_kind::local);
  end();
}

void local_request::on_client_lost() {
  client_ = nullptr;
  end();
}

void local_request::end() {
  if (starting_) return;
  exchange_.reset();
  home_.give_back(*this);
}

}  // namespace onceward::gateway
