// One run: the gateways that ship, their store, the upstream and the clients, and what goes wrong between them; then
// nothing goes wrong any more, and everything has to come to its end.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/gateway.h"
#include "simulated_disk.h"
#include "tests/simulation/client.h"
#include "tests/simulation/journal_store.h"
#include "tests/simulation/network.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/operations.h"
#include "tests/simulation/plan.h"
#include "tests/simulation/scenario.h"
#include "tests/simulation/schedule.h"
#include "tests/simulation/shared_store.h"
#include "tests/simulation/timeline.h"
#include "tests/simulation/upstream.h"

namespace onceward::simulation {

// What all runs of a scenario share, because it does not change.
class surroundings {
 public:
  explicit surroundings(const scenario& about);

  const scenario about;
  const gateway::settings config;
  gateway::logger log;
  const gateway::route_table routes;
  const operations all;
};

struct run_result {
  std::optional<violation> found;
  std::uint64_t digest = 0;
  sometimes_counts seen;
  std::vector<std::string> lines;  // Where they were asked for.
};

class world {
 public:
  world(surroundings& around, std::uint64_t seed, bool tell);
  ~world();

  run_result run(const plan& what);

 private:
  // A gateway, through all its lives.
  struct slot {
    unsigned number = 0;
    unsigned lives = 0;
    std::unique_ptr<process> runs;
    std::unique_ptr<journal_store> journal;
    std::unique_ptr<store> shared;
    std::unique_ptr<gateway::gateway> whole;
    bool is_up = false;
  };

  void start(slot& which);
  bool open_journal(slot& which);
  void check_after_opening(slot& which);
  // Ends the process, with what was written since the last sync or, where the power is lost, with some of that.
  void kill(slot& which, bool power, std::uint64_t luck);
  // The same in the middle of its journal's next commit.
  void kill_in_commit(slot& which, bool power, std::uint64_t luck);
  void leave_disk(slot& which, crash::platter left, bool power, dice& random);
  void drain(slot& which);
  void end(slot& which);
  void restart_later(slot& which, milliseconds after);
  void stop(slot& which, dice& random);
  void watch_journal(slot& which);

  void strike(const planned_fault& fault);
  void jump_clock(std::uint64_t luck);
  void break_disk(slot& which, std::uint64_t luck);
  void resolve(std::uint64_t luck);
  reply find_now(operation_number which);
  void calm_down();

  bool run_until(base::moment end);
  template <typename Done>
  bool run_until_done(milliseconds bound, Done done);
  void ask_in_the_end();
  void check_in_the_end();

  surroundings& around_;
  const scenario& about_;
  std::uint64_t seed_;
  dice random_;
  schedule time_;
  timeline tells_;
  sometimes_counts seen_;
  observer sees_;
  network net_;
  upstream upstream_;
  std::unique_ptr<crash::simulated_disk> disk_;
  bool disk_is_faulty_ = false;
  milliseconds wall_offset_{0};
  std::unique_ptr<shared_store> shared_;
  std::vector<slot> slots_;
  client_surroundings clients_around_;
  std::vector<std::unique_ptr<client>> clients_;
  bool calm_ = false;
};

}  // namespace onceward::simulation
