#include "gateway/answers.h"

#include <string>

#include "base/ascii.h"

namespace onceward::gateway {
namespace {

using base::decimal_text;

void append_connection(base::byte_buffer& out, http::connection_option option) {
  switch (option) {
    case http::connection_option::none:
      return;
    case http::connection_option::close:
      return http::append_field(out, "Connection: close");
    case http::connection_option::keep_alive:
      return http::append_field(out, "Connection: keep-alive");
  }
}

void append_end(base::byte_buffer& out, std::string_view body, const answer_frame& frame) {
  http::append_field(out, "Date", frame.date);
  append_connection(out, frame.connection);
  http::append_framing(out, http::content_length{body.size()});
  http::append_end_of_head(out);
  if (!frame.head_only) out.append(body);
}

void append_retry_fields(base::byte_buffer& out, const core::problem& what, const problem_frame& how) {
  const auto after =
      what.wants_retry_after ? how.retry_after.value_or(std::chrono::seconds(1)) : std::chrono::seconds(0);
  const auto seconds = static_cast<std::uint64_t>(after.count());
  if (seconds > 0) http::append_field(out, "Retry-After", decimal_text(seconds).view());
  if (how.hints == nullptr) return;
  const std::string_view retryable = what.retryable ? "true" : "false";
  if (how.hints->should_retry) http::append_field(out, "x-should-retry", retryable);
  if (how.hints->stripe_should_retry) http::append_field(out, "stripe-should-retry", retryable);
  if (how.hints->retry_after_ms && seconds > 0) {
    http::append_field(out, "retry-after-ms", decimal_text(seconds * 1000).view());
  }
}

}  // namespace

void append_problem(base::byte_buffer& out, const core::problem& what, const answer_frame& frame,
                    const problem_frame& how) {
  const std::string document = core::problem_document(what);
  http::append_status_line(out, what.status, http::reason_of(what.status));
  http::append_field(out, "Content-Type: application/problem+json");
  http::append_field(out, "Content-Language: en");
  http::append_field(out, "Cache-Control: no-store");
  http::append_field(out, "Onceward-Error-Source: gateway");
  if (!frame.lookup_prefix.empty()) {
    std::string link = "<";
    link += frame.lookup_prefix;
    link += "problems/";
    link += core::type_word(what);
    link += ">; rel=\"describedby\"";
    http::append_field(out, "Link", link);
  }
  // It came from the upstream as a field, or from an operator under the same rules; an empty one was none.
  if (!what.result_location.empty()) http::append_field(out, "Location", what.result_location);
  append_retry_fields(out, what, how);
  for (const http::field_view& field : how.extra)
    http::append_field(out, field.name, field.value);
  append_end(out, document, frame);
}

void append_document(base::byte_buffer& out, int status, std::string_view content_type, std::string_view body,
                     const answer_frame& frame) {
  http::append_status_line(out, status, http::reason_of(status));
  http::append_field(out, "Content-Type", content_type);
  http::append_field(out, "Cache-Control: no-store");
  append_end(out, body, frame);
}

core::problem http_problem(int status, std::string_view word, std::string_view detail) {
  core::problem what = core::make_problem(core::problem_type::http, {}, core::operation_state::absent);
  what.status = static_cast<std::uint16_t>(status);
  what.word = word;
  what.detail = detail;
  return what;
}

core::problem http_problem(http::parse_error why) {
  const http::error_description& known = http::describe(why);
  return http_problem(known.status, known.type, known.detail);
}

}  // namespace onceward::gateway
