// The thread of the store: takes commands from all threads, gives them to its connections, and polls these.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "stores/postgres/bulletin.h"
#include "stores/postgres/caretaker.h"
#include "stores/postgres/lane.h"
#include "stores/postgres/postgres_store.h"
#include "stores/server/desk.h"
#include "stores/server/outage.h"

namespace onceward::postgres {

class postgres_store::engine final : private store_parts {
 public:
  engine(options chosen, target where, std::string description);
  // Ends what is under way, within a bound, and answers what is outstanding.
  ~engine() override;

  // Any thread.
  void submit(command what, reply_sink& sink, std::uint64_t tag) { desk_.submit(std::move(what), sink, tag); }
  store_statistics statistics() const;
  void observe(record_observer* observer) { desk_.observe(observer); }
  void count();

  const std::string& description() const { return description_; }

 private:
  // Of a lane, by the keys of one place.
  struct occupation {
    std::size_t lane = 0;
    std::size_t commands = 0;  // Not answered yet.
  };

  // ---- For the parts ----
  base::moment now() const override { return now_; }
  void answer(const pending_command& to, reply value) override;
  void tell_others(const record_key& key) override { bulletin_.tell(key); }
  void want_response_day(std::chrono::milliseconds retention, std::function<void(bool made)> then) override;
  void connected(const server_facts& facts) override;
  void lost(const std::string& why) override;

  void run();
  void take_letters();
  void route(pending_command what);
  std::size_t choose_lane() const;
  occupation& occupation_of(const record_key& key);
  void work();
  void wait();
  bool is_done() const;
  void give_up();
  std::vector<connection*> links();
  void leave_others(const server_identity& chosen);
  void tell(event::kind what, std::string detail);

  const options options_;
  const std::string description_;
  const connection_settings settings_;
  server::desk desk_;
  std::atomic<bool> reachable_{true};
  mutable std::mutex counts_mutex_;
  record_counts counts_;  // Guarded by counts_mutex_.

  // From here on: the thread's own.
  base::moment now_;
  base::moment end_ = base::moment::max();  // When closing: of all patience.
  std::optional<server_identity> server_;   // The one that is used.
  server::outage outage_;
  std::vector<std::unique_ptr<lane>> lanes_;
  std::array<occupation, 4'096> occupations_;
  bulletin bulletin_;
  caretaker caretaker_;
  std::thread thread_;
};

}  // namespace onceward::postgres
