// The thread of the store: takes commands from all threads, gives them to its connections, and polls these.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "stores/redis/atlas.h"
#include "stores/redis/bulletin.h"
#include "stores/redis/caretaker.h"
#include "stores/redis/lane.h"
#include "stores/redis/redis_store.h"
#include "stores/redis/succession_log.h"
#include "stores/server/desk.h"
#include "stores/server/outage.h"

namespace onceward::redis {

class redis_store::engine final : private store_parts {
 public:
  // `floor`: a fence that every one which is granted is above.
  engine(options chosen, connection_settings settings, std::string description, std::uint64_t floor);
  // Ends what is under way, within a bound, and answers what is outstanding.
  ~engine() override;

  // Any thread.
  void submit(command what, reply_sink& sink, std::uint64_t tag) { desk_.submit(std::move(what), sink, tag); }
  store_statistics statistics() const;
  void observe(record_observer* observer) { desk_.observe(observer); }
  void count();
  void keep_secret(std::string kept);

  const std::string& description() const { return description_; }

 private:
  // One server with what is connected to it.
  struct node {
    std::vector<std::unique_ptr<lane>> lanes;
    std::unique_ptr<caretaker> keeper;
    record_counts counts;
    bool is_leaving = false;  // No slot is its own any more.
  };
  // Of a sweep over all nodes.
  struct gathering {
    std::size_t missing = 0;
    bool failed = false;
    sweep_result all;
    std::function<void(const sweep_result* done)> then;
  };

  // ---- For the parts ----
  base::moment now() const override { return now_; }
  void answer(const pending_command& to, reply value) override;
  void route(order what) override;
  void route_later(order what) override;
  void route_to(order what, const address& where) override;
  void moved(std::size_t slot, const address& to) override;
  void look_again() override;
  void saw_fence(fence token) override;
  std::uint64_t fence_floor() const override { return fence_floor_; }
  void acknowledged(const std::string& history, std::int64_t offset) override;
  void connected(const address& server, const server_facts& facts) override;
  void lost(const std::string& why) override;

  void run();
  void take_letters();
  void begin(pending_command what);
  void refuse(order& what, store_failure why);
  void work();
  void wait();
  bool is_done() const;
  void give_up();

  void choose_server(const address& connected);
  void gather_at_server();
  bool is_cluster() const { return settings_.where.kind == topology::cluster; }
  node& node_at(const address& where);
  void take_table(slot_table table);
  void retire();
  void route_parked();
  void look_after_store();
  void look_after_contents();
  void tell_lacking(const std::string& why);
  void raise_fence();
  void look_after_secret();
  void sweep(const sweep_request& wanted, std::function<void(const sweep_result* done)> then);
  void take_counts();
  std::vector<connection*> links();

  const options options_;
  const std::string description_;
  const connection_settings settings_;
  const lane_settings lane_settings_;
  server::desk desk_;
  std::atomic<bool> reachable_{true};
  mutable std::mutex counts_mutex_;
  record_counts counts_;  // Guarded by counts_mutex_.

  // From here on: the thread's own.
  base::moment now_;
  base::moment end_ = base::moment::max();  // When closing: of all patience.
  succession_log successions_;
  bool all_up_ = true;  // Every server that it knows of.
  address server_;      // That all use, where it is no cluster.
  server::outage outage_;
  std::uint64_t fence_floor_;
  std::uint64_t fence_raised_ = 0;  // To which the servers' own was raised.
  bool raising_ = false;
  std::string secret_;    // As it is kept in the store; empty until it is agreed on.
  std::string contents_;  // What they are called at the server; empty until it is known.
  bool looking_after_contents_ = false;
  bool looking_after_secret_ = false;
  bool is_others_ = false;  // The store is used with another secret.
  base::moment next_look_{};
  std::vector<std::pair<base::moment, order>> parked_;
  slot_table slots_;
  bool table_read_ = false;
  std::map<std::string, std::unique_ptr<node>> nodes_;  // By address; the only one without cluster by "".
  std::unique_ptr<bulletin> bulletin_;
  std::unique_ptr<atlas> atlas_;  // Of a cluster.
  std::thread thread_;
};

}  // namespace onceward::redis
