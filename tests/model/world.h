// The world around the exchanges: callers, gateways that die, a network that loses and doubles, the store, the
// upstream, time. It says which states can follow a state, and carries each step out against the real exchange machine
// and the real record table. The checks of invariants.h look at every step.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/model/invariants.h"
#include "tests/model/machines.h"
#include "tests/model/scenario.h"
#include "tests/model/state.h"
#include "tests/model/tables.h"
#include "tests/model/vocabulary.h"

namespace onceward::model {

class successor_sink {
 public:
  virtual ~successor_sink() = default;
  // `broken`: an invariant that this step breaks; null for none. `story`: who did what, where it was asked for.
  virtual void take(const state& next, const finding* broken, const std::vector<std::string>& story) = 0;
};

class world {
 public:
  explicit world(scenario about);
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  state start();

  // Every state that one step leads to. A state from which nobody can go on although somebody waits breaks no-wedge:
  // that is returned. `tell`: with the story of each step.
  std::optional<finding> each_successor(const state& from, successor_sink& sink, bool tell = false);

  const scenario& about() const { return about_; }

  struct tally {
    std::size_t exchanges;
    std::size_t exchange_steps;
    std::size_t tables;
    std::size_t table_steps;
  };
  tally counts() const { return {machines_.size(), machines_.steps(), tables_.size(), tables_.steps()}; }

 private:
  // What one step leaves open, and is tried both ways.
  enum class turn : std::uint8_t { plain, answer_lost, wait_refused };

  // What the upstream knows about a key.
  enum class truth : std::uint8_t { effect, running, nothing };

  template <typename Do>
  void for_each_attempt(const state& in, unsigned key, Do act) const;
  template <typename Do>
  void for_each_truth(unsigned key, Do act);
  void see(state& in, unsigned key, truth what, unsigned fence);

  template <typename Do>
  void branch(Do act);
  template <typename Do>
  void fault(bounded what, Do act);
  template <typename Do>
  bool take_turn(turn now, Do& act);

  void callers_send();
  void letters_move();
  void letter_moves(std::size_t at, bool renewal);
  void replies_arrive(std::size_t at, bool renewal);
  void stragglers_arrive();
  void upstream_works();
  void attempt_ends(std::size_t at);
  void attempt_ends_deduplicated(std::size_t at);
  void end_attempt(state& in, std::size_t at, ending how, unsigned source, effect leaves);
  void wakes_and_deadlines();
  void probes_end();
  void clients_leave();
  void gateways_fail();
  void operator_resolves();
  void time_passes();

  void deliver(state& in, std::size_t at, event what);
  void perform(state& in, std::size_t at, const seen_action& what);
  void respond(state& in, std::size_t at, const told& what);
  void forward(state& in, std::size_t at, unsigned fence);
  void wake(state& in, std::size_t by, std::uint32_t end, waits_for what);
  void join(state& in, exchange_slot& who, waits_for what);
  void join_probe(state& in, std::size_t at);
  void finish(state& in, std::size_t at);
  void submit(state& in, exchange_slot& by, std::uint32_t command, bool renewal, bool finishing);
  std::uint32_t apply(state& in, std::uint32_t command, bool has_room);
  void straggle(state& in, std::uint32_t command);
  void leave_caller(state& in, std::uint8_t kind);
  void pass_time(state& in, unsigned ticks);
  bool is_wedged(const state& at);
  void remove(state& in, std::size_t at);
  void reopen(state& in);

  template <typename... Parts>
  void say(const Parts&... parts);
  std::string name_of(const exchange_slot& who) const;

  scenario about_;
  vocabulary words_;
  machines machines_;
  tables tables_;
  invariants checks_;
  std::uint32_t indefinite_ = 0;
  std::uint32_t refused_ = 0;

  // Of the call of each_successor() that is under way.
  const state* from_ = nullptr;
  successor_sink* sink_ = nullptr;
  bool telling_ = false;
  bool progress_ = false;  // Some step is possible that is no fault.
  turn turn_ = turn::plain;
  bool offers_lost_answer_ = false;
  bool offers_wait_refused_ = false;
  std::vector<std::string> story_;
};

}  // namespace onceward::model
