#include "gateway/response_pipe.h"

#include <variant>

#include "base/inplace_vector.h"
#include "http/fields.h"

namespace onceward::gateway {
namespace {

// Bytes that may wait for a slow client before the upstream is held back.
constexpr std::size_t backlog_max = 4 * buffer_shelf::buffer_bytes;

// Fields that the upstream says to us, and those by which we speak of ourselves: nobody says them in our name.
const http::field_name_set not_passed_on = {"Idempotency-Outcome", "Onceward-Error-Source", "Onceward-Unguarded",
                                            "Onceward-Not-Recorded"};

}  // namespace

void response_pipe::pass_interim(connection& to, const http::response_head_view& head) {
  // We answered the client's expectation ourselves and did not pass it on.
  if (head.status == 100 || to.request().version_minor == 0) return;
  http::append_forwarded_response_head(to.output(), head, {});
}

void response_pipe::begin(connection& to, const http::response_head_view& head, std::string_view date,
                          http::fields_view extra, std::optional<std::uint64_t> whole_body) {
  const bool has_length =
      !std::holds_alternative<http::chunked>(head.framing) && !std::holds_alternative<http::until_close>(head.framing);
  const bool old_client = to.request().version_minor == 0;
  const bool until_close = !has_length && !whole_body && old_client;

  http::response_forwarding how;
  if (has_length) {
    how.framing = head.framing;
  } else if (whole_body) {
    how.framing = http::content_length{*whole_body};
  } else if (old_client) {
    how.framing = http::until_close{};
  } else {
    how.framing = http::chunked{};
  }
  chunks_ = std::holds_alternative<http::chunked>(how.framing);
  how.connection = to.begin_answer(head.status, until_close);

  base::inplace_vector<http::field_view, 4> added;
  for (const http::field_view& field : extra)
    added.emplace_back(field);
  if (!head.ids.has(http::field_id::date)) added.emplace_back(http::make_field(http::field_id::date, date));
  how.extra = {added.begin(), added.size()};
  how.drop = &not_passed_on;
  http::append_forwarded_response_head(to.output(), head, how);
}

void response_pipe::append(connection& to, std::string_view piece, bool last) {
  if (!chunks_) return to.output().append(piece);
  if (!piece.empty()) http::append_chunk(to.output(), piece);
  if (last) http::append_last_chunk(to.output());
}

bool response_pipe::pass_on(connection& to, upstream_call& from) {
  if (!to.flush()) return false;
  if (to.backlog() > backlog_max) from.hold();
  return true;
}

}  // namespace onceward::gateway
