// The connection for what is not about one record: operators' commands, and counting for the statistics. Redis has no
// list of our records, so each of these looks at every key of its server, a page at a time; between two pages the
// server does what else it has to do. One sweep at a time; whoever waits for one waits in line.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "onceward/store.h"
#include "stores/redis/connection.h"
#include "stores/redis/store_parts.h"

namespace onceward::redis {

struct record_counts {
  std::uint64_t records = 0;
  std::uint64_t records_unknown = 0;
  std::uint64_t bytes = 0;
  std::uint64_t bytes_limit = 0;

  record_counts& operator+=(const record_counts& other);
};

// What one server contributes.
struct sweep_result {
  record_counts counts;
  std::uint64_t deleted = 0;
  std::map<record_key, record_summary> unknown;
};

// What to look for.
struct sweep_request {
  bool deletes = false;             // What has expired.
  std::optional<record_key> after;  // Lists unknown records with greater keys, the first `limit` of them.
  std::size_t limit = 0;
};

class caretaker final : private connection_user {
 public:
  using receiver = std::function<void(const sweep_result* done)>;  // Null where it failed.

  // Of a cluster, `node` is the one that it looks after.
  caretaker(const connection_settings& settings, std::optional<address> node, store_parts& parts,
            std::function<void(const record_counts&)> counted);

  void sweep(const sweep_request& wanted, receiver then);

  connection& link() { return connection_; }
  // When work() has something to do by itself.
  base::moment due() const;
  void work();
  void give_up();

 private:
  struct task {
    sweep_request wanted;
    receiver then;
    sweep_result result;
    std::string cursor = "0";
    bool begun = false;
    base::moment since{};
  };
  // Of a page: what the replies under way are to.
  enum class asked { names, headers, records };

  void on_connected(const server_facts& facts) override;
  void on_replies(std::vector<value> replies) override;
  void on_lost(const std::string& why) override;

  void ask_names();
  void ask_headers();
  bool ask_records();
  void take_names(const std::vector<value>& replies);
  void take_headers(const std::vector<value>& replies);
  void take_records(const std::vector<value>& replies);
  // True where the server refuses such requests, and the connection was given up for it.
  bool is_refused(const std::vector<value>& replies);
  void end_page();
  void fail_all();

  store_parts& parts_;
  const std::function<void(const record_counts&)> counted_;
  std::deque<task> tasks_;
  asked under_way_ = asked::names;
  std::vector<std::string> names_;   // Of the page.
  std::vector<std::string> wanted_;  // Of these, to be read as a whole.
  std::vector<std::string> expired_;
  wall_time page_time_{};
  base::moment next_count_{};
  connection connection_;
};

}  // namespace onceward::redis
