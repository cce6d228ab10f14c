#include "stores/postgres/lane.h"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <variant>

#include "base/assert.h"
#include "core/verdict.h"
#include "stores/postgres/server_error.h"

namespace onceward::postgres {
namespace {

// A batch that is under way for longer waits for something: a lock, a standby, a disk.
constexpr std::chrono::milliseconds usual_time{20};

// A command is sent so often before it is refused. Each time, another gateway was faster.
constexpr int sent_max = 10;

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
                  {.statements = {statement::claim, statement::claim_many, statement::renew, statement::complete,
                                  statement::complete_many, statement::give_up, statement::release, statement::find},
                   .finds_by_key = true},
                  *this) {}

bool lane::takes_more() const {
  if (!connection_.is_connected() || queue_bytes_ >= batch_bytes_max) return false;
  return sent_.empty() || sent_at_ + usual_time > parts_.now();
}

void lane::submit(pending_command what) {
  if (connection_.is_down()) return parts_.answer(what, store_failure{certainty::definite, errc::unavailable});
  queue_bytes_ += wire_bytes(what.what);
  queue_.push_back(std::move(what));
}

void lane::work() {
  while (!queue_.empty() && queue_.front().queued_at + queue_timeout_ <= parts_.now()) {
    parts_.answer(queue_.front(), store_failure{certainty::definite, errc::timeout});
    queue_bytes_ -= wire_bytes(queue_.front().what);
    queue_.pop_front();
  }
  if (queue_.empty() || !connection_.can_send()) return;
  sent_ = take_batch(queue_);
  sent_at_ = parts_.now();
  for (batch_part& part : sent_) {
    for (pending_command& each : part.commands) {
      ++each.sent;
      queue_bytes_ -= wire_bytes(each.what);
    }
    parameters with;
    const statement which = encode(part, with);
    connection_.add(which, with);
  }
  connection_.send(parts_.now());
}

void lane::give_up() {
  refuse_sent(errc::closed);
  refuse_queue(errc::closed);
}

void lane::refuse_sent(errc reason) {
  for (const batch_part& part : sent_) {
    for (const pending_command& each : part.commands)
      parts_.answer(each, store_failure{certainty::indefinite, reason});
  }
  sent_.clear();
}

void lane::refuse_queue(errc reason) {
  for (const pending_command& each : queue_)
    parts_.answer(each, store_failure{certainty::definite, reason});
  queue_.clear();
  queue_bytes_ = 0;
}

// ---- From the connection -------------------------------------------------------------------------------------------

void lane::on_connected(const server_facts& facts) {
  parts_.connected(facts);
}

void lane::on_lost(const std::string& why) {
  refuse_sent(errc::unavailable);
  if (connection_.is_down()) refuse_queue(errc::unavailable);
  parts_.lost(why);
}

void lane::on_batch(batch_end end, std::vector<statement_result> results) {
  batch sent = std::exchange(sent_, {});
  onceward_assert(end == batch_end::rolled_back || results.size() == sent.size());
  if (end == batch_end::rolled_back) return take_apart(std::move(sent), results);
  // From the last to the first, so that what is sent again queues as it came.
  for (std::size_t i = sent.size(); i-- > 0;) {
    if (sent[i].is_many()) {
      settle_many(std::move(sent[i]), results[i], end);
    } else {
      settle_one(std::move(sent[i].commands.front()), results[i], end);
    }
  }
}

void lane::settle_one(pending_command what, const statement_result& result, batch_end end) {
  std::optional<found_record> found;
  if (result.rows() > 0) {
    auto read = read_record(result.row(0));
    if (!read) return parts_.answer(what, store_failure{certainty::indefinite, read.error()});
    found = *std::move(read);
  }
  settle(std::move(what), found, end);
}

// A row for each command that it carried out, or that found a record. The others are sent again by themselves.
void lane::settle_many(batch_part part, const statement_result& result, batch_end end) {
  const bool are_claims = std::holds_alternative<claim>(part.commands.front().what);
  std::unordered_map<record_key, found_record, core::record_key_index> rows;
  for (std::size_t i = 0; i < result.rows(); ++i) {
    auto read = are_claims ? read_claimed(result.row(i)) : read_completed(result.row(i));
    if (read) rows.emplace(read->key, std::move(read->found));
  }
  for (auto each = part.commands.rbegin(); each != part.commands.rend(); ++each) {
    const auto row = rows.find(*key_of(each->what));
    if (row == rows.end()) {
      send_again(std::move(*each), errc::busy);
    } else {
      settle(std::move(*each), std::move(row->second), end);
    }
  }
}

void lane::settle(pending_command what, const std::optional<found_record>& found, batch_end end) {
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
  queue_bytes_ += wire_bytes(what.what);
  queue_.push_front(std::move(what));
}

void lane::take_apart(batch failed, const std::vector<statement_result>& results) {
  if (failed.size() == 1 && !failed.front().is_many()) {
    const auto error =
        std::find_if(results.begin(), results.end(), [](const auto& each) { return each.error_state().has_value(); });
    onceward_assert(error != results.end());
    return refuse(std::move(failed.front().commands.front()), *error);
  }
  // From the last to the first, so that they queue as they came.
  for (auto part = failed.rbegin(); part != failed.rend(); ++part) {
    for (auto each = part->commands.rbegin(); each != part->commands.rend(); ++each) {
      each->alone = true;
      send_again(std::move(*each), errc::busy);
    }
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
