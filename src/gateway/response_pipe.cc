#include "gateway/response_pipe.h"

#include <array>
#include <variant>

#include "base/assert.h"

namespace onceward::gateway {
namespace {

// Bytes that may wait for a slow client before the upstream is held back.
constexpr std::size_t backlog_max = 4 * buffer_shelf::buffer_bytes;

// Fields that the upstream says to us, and those by which we speak of ourselves: nobody says them in our name.
constexpr http::field_id_set ids_not_passed_on{http::field_id::idempotency_outcome};
constexpr std::array<std::string_view, 3> not_passed_on = {"Onceward-Error-Source", "Onceward-Unguarded",
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

  std::array<http::field_view, 4> with_date;
  if (head.ids.has(http::field_id::date)) {
    how.extra = extra;
  } else {
    onceward_assert(extra.size() < with_date.size());
    std::copy(extra.begin(), extra.end(), with_date.begin());
    with_date[extra.size()] = http::make_field(http::field_id::date, date);
    how.extra = {with_date.data(), extra.size() + 1};
  }
  how.drop = not_passed_on;
  how.drop_ids = ids_not_passed_on;
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
