#include "stores/postgres/caretaker.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"
#include "base/overloaded.h"
#include "stores/postgres/server_error.h"

namespace onceward::postgres {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds count_interval_min{1'000};
// Counting takes at most this part of the time.
constexpr int count_share = 50;
constexpr milliseconds purge_interval{60'000};
constexpr std::int64_t purge_rows_max = 5'000;
constexpr std::size_t list_rows_max = 10'000;
constexpr std::size_t tasks_max = 10'000;

constexpr store_failure not_done{certainty::definite, errc::unavailable};

// What is asked here may look at every record.
connection_settings patient(connection_settings settings) {
  settings.statement_timeout = milliseconds{60'000};
  settings.answer_timeout = milliseconds{90'000};
  return settings;
}

// The only column of the only row.
std::int64_t number_in(const statement_result& result, std::size_t column = 0) {
  if (result.rows() != 1) return 0;
  const auto row = result.row(0);
  return column < row.size() ? read_number(row[column]).value_or(0) : 0;
}

}  // namespace

caretaker::caretaker(const connection_settings& settings, milliseconds purge_margin, store_parts& parts,
                     std::function<void(const record_counts&)> counted)
    : settings_(patient(settings)),
      parts_(parts),
      counted_(std::move(counted)),
      purge_margin_(purge_margin),
      connection_(
          settings_,
          {{statement::list_unknown, statement::purge, statement::drop_days, statement::add_day, statement::count}},
          *this) {}

void caretaker::submit(pending_command what) {
  if (connection_.is_down() || tasks_.size() >= tasks_max) return parts_.answer(what, not_done);
  if (std::holds_alternative<purge>(what.what)) {
    tasks_.push_back(purge_task{.asked = std::move(what)});
  } else {
    tasks_.push_back(list_task{std::move(what)});
  }
}

void caretaker::count(std::function<void()> then) {
  if (connection_.is_down()) return then();
  tasks_.push_back(count_task{std::move(then)});
}

// Before what is under way at the server, nothing can go; before all else that waits, this does.
void caretaker::want_response_day(milliseconds retention, std::function<void(bool)> then) {
  if (connection_.is_down()) return then(false);
  tasks_.insert(tasks_.begin() + (under_way_ ? 1 : 0), day_task{retention, std::move(then)});
}

base::moment caretaker::due() const {
  return connection_.can_send() ? std::min(next_count_, next_purge_) : base::moment::max();
}

void caretaker::add_routine_tasks() {
  const base::moment now = parts_.now();
  if (now >= next_count_) {
    tasks_.push_back(count_task{[] {}});
    next_count_ = base::moment::max();  // Until it is done.
  }
  if (now >= next_purge_) {
    tasks_.push_back(purge_task{});
    next_purge_ = now + purge_interval;
  }
}

void caretaker::work() {
  if (!connection_.can_send()) return;
  add_routine_tasks();
  if (tasks_.empty()) return;
  under_way_ = true;
  send(tasks_.front());
}

void caretaker::send(task& next) {
  std::visit(base::overloaded{
                 [this](const list_task& each) {
                   const auto& asked = std::get<list_unknown>(each.asked.what);
                   parameters with;
                   with.add(asked.after.bytes);
                   with.add(static_cast<std::int64_t>(std::min(asked.limit, list_rows_max)));
                   connection_.add(statement::list_unknown, with);
                 },
                 [this](const purge_task& each) {
                   const std::array numbers{std::int64_t{purge_margin_.count()}, purge_rows_max};
                   if (each.days_dropped) return send(statement::purge, numbers);
                   send(statement::drop_days, std::span(numbers).first(1));
                 },
                 [this](count_task& each) {
                   each.since = parts_.now();
                   send(statement::count, {});
                 },
                 [this](const day_task& each) {
                   const std::array numbers{std::int64_t{each.retention.count()}};
                   send(statement::add_day, numbers);
                 },
             },
             next);
  connection_.send(parts_.now());
}

void caretaker::send(statement which, std::span<const std::int64_t> numbers) {
  parameters with;
  for (const std::int64_t each : numbers)
    with.add(each);
  connection_.add(which, with);
}

// ---- What came of it -----------------------------------------------------------------------------------------------

bool caretaker::take(list_task& done, const statement_result& result) {
  unknown_listed listed;
  for (std::size_t i = 0; i < result.rows(); ++i) {
    auto item = read_listed(result.row(i));
    if (!item) {
      parts_.answer(done.asked, store_failure{certainty::definite, item.error()});
      return true;
    }
    listed.items.push_back(*std::move(item));
  }
  parts_.answer(done.asked, std::move(listed));
  return true;
}

bool caretaker::take(purge_task& done, const statement_result& result) {
  if (!std::exchange(done.days_dropped, true)) return false;
  const std::int64_t rows = number_in(result);
  done.purged += rows;
  if (rows == purge_rows_max) return false;
  if (done.asked) parts_.answer(*done.asked, purged{static_cast<std::uint64_t>(done.purged)});
  return true;
}

bool caretaker::take(count_task& done, const statement_result& result) {
  counted_({.records = static_cast<std::uint64_t>(number_in(result, 0)),
            .records_unknown = static_cast<std::uint64_t>(number_in(result, 1)),
            .bytes = static_cast<std::uint64_t>(number_in(result, 2))});
  const base::moment now = parts_.now();
  next_count_ = now + std::max<base::monotonic::duration>(count_interval_min, (now - done.since) * count_share);
  done.then();
  return true;
}

bool caretaker::take(day_task& done, const statement_result&) {
  done.then(true);
  return true;
}

// Days that cannot be dropped now, because somebody reads them, can be dropped later.
bool caretaker::fail(task& failed, const statement_result& result) {
  const bool is_final = judge_error(result.error_state().value_or("")).what_to_do == remedy::reconnect;
  if (auto* purging = std::get_if<purge_task>(&failed); purging != nullptr && !purging->days_dropped && !is_final) {
    return take(*purging, result);
  }
  fail(failed, not_done);
  if (is_final) connection_.drop(result.error_text(), parts_.now());
  return true;
}

void caretaker::fail(task& failed, store_failure why) {
  std::visit(base::overloaded{
                 [&](list_task& each) { parts_.answer(each.asked, why); },
                 [&](purge_task& each) {
                   if (each.asked) parts_.answer(*each.asked, why);
                 },
                 [&](count_task& each) {
                   next_count_ = parts_.now() + count_interval_min;
                   each.then();
                 },
                 [](day_task& each) { each.then(false); },
             },
             failed);
}

void caretaker::fail_all(store_failure why) {
  under_way_ = false;
  for (task& each : std::exchange(tasks_, {}))
    fail(each, why);
}

void caretaker::give_up() {
  fail_all({certainty::definite, errc::closed});
}

// ---- From the connection -------------------------------------------------------------------------------------------

void caretaker::on_connected(const server_facts& facts) {
  parts_.connected(facts);
}

void caretaker::on_batch(batch_end end, std::vector<statement_result> results) {
  onceward_assert(under_way_ && !results.empty());
  task current = std::move(tasks_.front());
  tasks_.pop_front();
  under_way_ = false;
  const statement_result& result = results.front();
  const bool done = end == batch_end::rolled_back ? fail(current, result)
                                                  : std::visit([&](auto& each) { return take(each, result); }, current);
  if (!done) tasks_.push_front(std::move(current));
}

// What was deleted with a purge that was under way is deleted, and more than was counted.
void caretaker::on_lost(const std::string& why) {
  fail_all({certainty::indefinite, errc::unavailable});
  parts_.lost(why);
}

}  // namespace onceward::postgres
