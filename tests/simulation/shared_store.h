// A store that several gateways share: the model of a server, behind a network that loses, doubles and
// delays, with clients that give up waiting.
//
// It promises no more than real ones do. A command without a reply is indefinite; a copy of it may arrive later. Where
// it fails over with a tail that was not replicated, what it was told last is forgotten.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "onceward/store.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/operations.h"
#include "tests/simulation/process.h"
#include "tests/simulation/scenario.h"
#include "tests/simulation/schedule.h"
#include "tests/simulation/server_model.h"

namespace onceward::simulation {

// No message arrives later than this.
inline constexpr std::chrono::milliseconds message_age_max{5'100};

class shared_store {
 public:
  shared_store(schedule& time, const scenario& about, const operations& all, observer& sees, std::uint64_t seed);

  // From now on no message is lost, late or doubled.
  void calm_down() { calm_ = true; }
  void go_down() { up_ = false; }
  void come_up() { up_ = true; }
  // Another server takes over, with what had been replicated to it.
  void fail_over();
  void jump(std::chrono::milliseconds by) { wall_offset_ += by; }

  // What it has, asked past the network.
  reply find_now(const record_key& key);
  // An operator's command, likewise.
  reply command_now(const command& what);
  wall_time wall_now() const;

  // One gateway's way to it.
  std::unique_ptr<store> connect(process& from, unsigned owner);

 private:
  class connection;

  reply apply(unsigned owner, const command& what);
  reply decide(const command& what);
  void replicate();

  schedule& time_;
  const scenario& about_;
  const operations& all_;
  observer& sees_;
  dice random_;
  bool calm_ = false;
  bool up_ = true;
  std::chrono::milliseconds wall_offset_{0};
  server_model server_;
  server_model replica_;
  std::vector<operation_number> not_replicated_;
};

}  // namespace onceward::simulation
