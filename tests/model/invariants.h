// The promises of docs/architecture.md, as questions about one step: asked whenever the store has decided a command, a
// request is forwarded, a client is told something, or time has passed. They are asked of what the world did, never of
// what the machine believes.
#pragma once

#include <optional>
#include <string>

#include "tests/model/machines.h"
#include "tests/model/state.h"
#include "tests/model/tables.h"
#include "tests/model/vocabulary.h"

namespace onceward::model {

struct finding {
  const char* invariant;
  std::string why;
};

class invariants {
 public:
  invariants(const scenario& about, const vocabulary& words, tables& records)
      : about_(about), words_(words), records_(records) {}

  // Forgets what was found in the step before.
  void begin() { found_.reset(); }
  const finding* found() const { return found_ ? &*found_ : nullptr; }
  void report(const char* invariant, std::string why);

  // The store has decided `command`; `in` is the state after it but for the histories, which this brings up to date.
  // `table_before` is what the command found.
  void after_command(state& in, std::uint32_t table_before, std::uint32_t command, std::uint32_t answer);

  // The attempt of this key has ended now, whatever became of it: retention counts from here.
  void keep(state& in, unsigned key) const;

  // Looks whether records have gone that must be kept.
  void after_time(state& in);

  void before_forward(const state& in, const exchange_slot& who, unsigned fence);
  void before_effect(const state& in, unsigned fence);
  void before_respond(const state& in, const exchange_slot& who, const told& what);

  // The effect that stands for the operation that `fence` belongs to; 0 for none.
  static unsigned effect_beside(const state& in, const vocabulary& words, unsigned fence);

 private:
  void after_claim(state& in, const command_facts& asked, std::uint32_t before, std::uint32_t after,
                   std::uint32_t answer);
  void after_grant(state& in, const command_facts& asked, const reply_facts& before, const reply_facts& after,
                   const reply_facts& answer);
  void after_write(state& in, const command_facts& asked, std::uint32_t before, std::uint32_t after,
                   std::uint32_t answer);
  void check_acknowledged(state& in, const command_facts& asked, const reply_facts& after);
  void check_truth(const state& in, const command_facts& asked, const reply_facts& before);
  void check_live(const state& in, const exchange_slot& who);
  void check_kept_answer(const state& in, const exchange_slot& who, answer_tag answer, const char* otherwise);
  void check_problem(const state& in, const exchange_slot& who, const told& what);

  const scenario& about_;
  const vocabulary& words_;
  tables& records_;
  std::optional<finding> found_;
};

}  // namespace onceward::model
