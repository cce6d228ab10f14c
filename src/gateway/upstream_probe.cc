#include "gateway/upstream_probe.h"

#include <utility>

#include "core/replay.h"
#include "gateway/forwarding.h"
#include "http/writer.h"

namespace onceward::gateway {

upstream_probe::upstream_probe(worker_tools& tools, std::function<void(core::probe_result)> on_ended)
    : tools_(tools), on_ended_(std::move(on_ended)), call_(tools, *this), deadline_(tools.loop, [this] {
        call_.cancel();
        end(core::probe_verdict::no_verdict);
      }) {}

void upstream_probe::start(const core::prepared_policy& rules, const http::request_head_view& request,
                           const std::string& target) {
  rules_ = &rules;
  body_.clear();
  too_large_ = false;
  deadline_.arm(tools_.loop.now() + rules.rules.probe.timeout);
  call_.begin({.verb = http::method_id::get,
               .repeatable = true,
               .connection = {.idle_max = tools_.config.timeouts.idle_reuse_max, .checked = true}});
  base::byte_buffer& out = call_.request();
  http::append_request_line(out, "GET", target);
  const std::string own_host = host_if_none_is_named(request, tools_.config.upstreams);
  http::append_field(out, "Host", own_host.empty() ? request.authority : own_host);
  for (const http::field_view& field : request.fields) {
    bool is_credential = field.id == http::field_id::cookie;
    for (const std::string& name : rules.rules.scope.credential_headers)
      is_credential = is_credential || http::names_equal(name, field.name);
    if (is_credential) http::append_field(out, field.name, field.value);
  }
  http::append_field(out, "Via: 1.1 onceward");
  http::append_end_of_head(out);
  call_.send(true);
}

void upstream_probe::cancel() {
  call_.cancel();
  deadline_.cancel();
}

void upstream_probe::on_upstream_head(const http::response_head_view& head) {
  if (!head.is_interim()) head_.assign(head);
}

void upstream_probe::on_upstream_body(std::string_view piece, bool last) {
  too_large_ = too_large_ || body_.size() + piece.size() > rules_->rules.body_bytes_stored_max;
  if (!too_large_) body_ += piece;
  if (last) end(result());
}

void upstream_probe::on_upstream_failed(const upstream_failure&) {
  end(core::probe_verdict::no_verdict);
}

core::probe_result upstream_probe::result() const {
  const http::response_head_view& head = head_.view();
  switch (head.status) {
    case 200:
      return core::probe_found{too_large_ ? nullptr : rules_->replays.keep(head, body_), core::keep_tombstone(head)};
    case 404:
      return core::probe_verdict::not_found;
    case 202:
    case 409:
      return core::probe_verdict::still_running;
    default:
      return core::probe_verdict::no_verdict;
  }
}

void upstream_probe::end(core::probe_result result) {
  deadline_.cancel();
  on_ended_(std::move(result));
}

}  // namespace onceward::gateway
