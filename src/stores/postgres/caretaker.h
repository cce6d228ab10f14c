// The connection for what is not about one record: operators' commands, counting for the statistics, the partitions of
// responses, and purging. One statement at a time; whoever waits for one waits in line.
#pragma once

#include <deque>
#include <functional>
#include <variant>

#include "stores/postgres/connection.h"
#include "stores/postgres/store_parts.h"

namespace onceward::postgres {

struct record_counts {
  std::uint64_t records = 0;
  std::uint64_t records_unknown = 0;
  std::uint64_t bytes = 0;
};

class caretaker final : private connection_user {
 public:
  // `purge_margin`: records that expired less long ago are kept. It is longer than any statement lasts, so that a claim
  // under way when a grant of the same key was purged cannot have drawn an earlier fence.
  caretaker(const connection_settings& settings, std::chrono::milliseconds purge_margin, store_parts& parts,
            std::function<void(const record_counts&)> counted);

  // list_unknown or purge.
  void submit(pending_command what);
  // Counts out of turn, and then calls `then`.
  void count(std::function<void()> then);
  void want_response_day(std::chrono::milliseconds retention, std::function<void(bool made)> then);

  connection& link() { return connection_; }
  // When work() has something to do by itself.
  base::moment due() const;
  void work();
  bool is_quiet() const { return tasks_.empty(); }
  void give_up();

 private:
  struct list_task {
    pending_command asked;
  };
  struct purge_task {
    std::optional<pending_command> asked;  // Nothing: its own idea.
    std::int64_t purged = 0;
    bool days_dropped = false;
  };
  struct count_task {
    std::function<void()> then;
    base::moment since{};
  };
  struct day_task {
    std::chrono::milliseconds retention;
    std::function<void(bool made)> then;
  };
  using task = std::variant<list_task, purge_task, count_task, day_task>;

  void on_connected(const server_facts& facts) override;
  void on_batch(batch_end end, std::vector<statement_result> results) override;
  void on_notification(std::string_view) override {}
  void on_lost(const std::string& why) override;

  void add_routine_tasks();
  void send(task& next);
  void send(statement which, std::span<const std::int64_t> numbers);
  // True when the task is done.
  bool take(list_task& done, const statement_result& result);
  bool take(purge_task& done, const statement_result& result);
  bool take(count_task& done, const statement_result& result);
  bool take(day_task& done, const statement_result& result);
  bool fail(task& failed, const statement_result& result);
  void fail(task& failed, store_failure why);
  void fail_all(store_failure why);

  const connection_settings settings_;
  store_parts& parts_;
  const std::function<void(const record_counts&)> counted_;
  const std::chrono::milliseconds purge_margin_;
  std::deque<task> tasks_;
  bool under_way_ = false;  // The first of them.
  base::moment next_count_{};
  base::moment next_purge_{};
  connection connection_;
};

}  // namespace onceward::postgres
