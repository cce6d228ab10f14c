#include "stores/postgres/lane.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <variant>

#include "base/assert.h"
#include "core/verdict.h"
#include "stores/postgres/server_error.h"

namespace onceward::postgres {
namespace {

// What libpq gathers before it writes. A batch within it goes out in one system call.
constexpr std::size_t batch_bytes_max = 8'000;

// A command is sent so often before it is refused. Each time, another gateway was faster.
constexpr int sent_max = 10;

statement encode_any(const command& what, parameters& into) {
  return std::visit(
      [&](const auto& each) {
        if constexpr (requires { encode(each, into); }) return encode(each, into);
        onceward_assert(false && "a command that has no record");
        return statement::find;
      },
      what);
}

std::chrono::milliseconds retention_of(const command& what) {
  const auto* ended = std::get_if<complete>(&what);
  const auto* done = ended == nullptr ? nullptr : std::get_if<outcome_completed>(&ended->outcome);
  return done == nullptr ? std::chrono::milliseconds{0} : done->retention;
}

}  // namespace

lane::lane(const connection_settings& settings, store_parts& parts)
    : parts_(parts),
      queue_timeout_(settings.answer_timeout),
      connection_(settings,
                  {{statement::claim, statement::renew, statement::complete, statement::give_up, statement::release,
                    statement::find}},
                  *this) {}

void lane::submit(pending_command what) {
  if (connection_.is_down()) return parts_.answer(what, store_failure{certainty::definite, errc::unavailable});
  queue_.push_back(std::move(what));
}

void lane::work() {
  while (!queue_.empty() && queue_.front().queued_at + queue_timeout_ <= parts_.now()) {
    parts_.answer(queue_.front(), store_failure{certainty::definite, errc::timeout});
    queue_.pop_front();
  }
  if (queue_.empty() || !connection_.can_send()) return;
  sent_ = take_batch();
  for (pending_command& each : sent_) {
    ++each.sent;
    parameters with;
    const statement which = encode_any(each.what, with);
    connection_.add(which, with);
  }
  connection_.send(parts_.now());
}

std::vector<pending_command> lane::take_batch() {
  std::vector<pending_command> batch;
  std::size_t bytes = 0;
  while (!queue_.empty()) {
    const bool alone = queue_.front().alone;
    bytes += wire_bytes(queue_.front().what);
    if (!batch.empty() && (alone || bytes > batch_bytes_max)) break;
    queue_.front().place = batch.size();
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
    if (alone) break;
  }
  std::sort(batch.begin(), batch.end(), [](const pending_command& left, const pending_command& right) {
    return std::tie(*key_of(left.what), left.place) < std::tie(*key_of(right.what), right.place);
  });
  return batch;
}

void lane::give_up() {
  for (const pending_command& each : sent_)
    parts_.answer(each, store_failure{certainty::indefinite, errc::closed});
  sent_.clear();
  refuse_queue(errc::closed);
}

void lane::refuse_queue(errc reason) {
  for (const pending_command& each : queue_)
    parts_.answer(each, store_failure{certainty::definite, reason});
  queue_.clear();
}

// ---- From the connection -------------------------------------------------------------------------------------------

void lane::on_connected(const server_facts& facts) {
  parts_.connected(facts);
}

void lane::on_lost(const std::string& why) {
  for (const pending_command& each : sent_)
    parts_.answer(each, store_failure{certainty::indefinite, errc::unavailable});
  sent_.clear();
  if (connection_.is_down()) refuse_queue(errc::unavailable);
  parts_.lost(why);
}

void lane::on_batch(batch_end end, std::vector<statement_result> results) {
  std::vector<pending_command> batch = std::exchange(sent_, {});
  onceward_assert(end == batch_end::rolled_back || results.size() == batch.size());
  if (end == batch_end::rolled_back) return take_apart(std::move(batch), results);
  for (std::size_t i = 0; i < batch.size(); ++i)
    settle(std::move(batch[i]), results[i], end);
}

void lane::settle(pending_command what, const statement_result& result, batch_end end) {
  std::optional<found_record> found;
  if (result.rows() > 0) {
    auto read = read_record(result.row(0));
    if (!read) return parts_.answer(what, store_failure{certainty::indefinite, read.error()});
    found = *std::move(read);
  }
  if (end == batch_end::indefinite && found && found->changed) {
    return parts_.answer(what, store_failure{certainty::indefinite, errc::unavailable});
  }
  auto answer = core::answer_to(what.what, found);
  if (!answer) return send_again(std::move(what), errc::busy);
  if (core::ends_attempt(what.what, *answer)) parts_.tell_others(*key_of(what.what));
  parts_.answer(what, std::move(*answer));
}

void lane::send_again(pending_command what, errc reason) {
  if (what.sent >= sent_max) return parts_.answer(what, store_failure{certainty::definite, reason});
  queue_.push_front(std::move(what));
}

void lane::take_apart(std::vector<pending_command> batch, const std::vector<statement_result>& results) {
  if (batch.size() == 1) {
    const auto failed =
        std::find_if(results.begin(), results.end(), [](const auto& each) { return each.error_state().has_value(); });
    onceward_assert(failed != results.end());
    return refuse(std::move(batch.front()), *failed);
  }
  // From the last to the first, so that they queue as they came.
  for (auto each = batch.rbegin(); each != batch.rend(); ++each) {
    each->alone = true;
    send_again(std::move(*each), errc::busy);
  }
}

void lane::refuse(pending_command what, const statement_result& why) {
  const auto [remedy, reason] = judge_error(why.error_state().value_or(""));
  switch (remedy) {
    case remedy::send_again:
      // Who waited for a lock for so long has waited enough.
      if (reason == errc::timeout) break;
      return send_again(std::move(what), reason);
    case remedy::add_day:
      return park_for_day(std::move(what));
    case remedy::refuse:
      break;
    case remedy::reconnect:
      parts_.answer(what, store_failure{certainty::definite, reason});
      return connection_.drop(why.error_text(), parts_.now());
  }
  parts_.answer(what, store_failure{certainty::definite, reason});
}

void lane::park_for_day(pending_command what) {
  if (what.sent >= sent_max) return parts_.answer(what, store_failure{certainty::definite, errc::unavailable});
  ++parked_;
  const auto retention = retention_of(what.what);
  parts_.want_response_day(retention, [this, parked = std::move(what)](bool made) mutable {
    --parked_;
    if (made) return send_again(std::move(parked), errc::unavailable);
    parts_.answer(parked, store_failure{certainty::definite, errc::unavailable});
  });
}

}  // namespace onceward::postgres
