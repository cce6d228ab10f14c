// The exchanges of all states: each distinct one once, and what it does about each event, asked of the real machine
// once and remembered. The machine is a function of its state, the event and the time, so remembering is as good as
// asking again.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "core/exchange.h"
#include "tests/model/flat_map.h"
#include "tests/model/vocabulary.h"

namespace onceward::model {

enum class event_kind : std::uint8_t {
  started,
  store_replied,    // value: the reply.
  renewal_replied,  // value: the reply.
  upstream_ended,   // value: the answer's tag.
  probe_joined,     // value: 1 for the first.
  probe_found,      // value: the answer's tag.
  probe_verdict,    // value: a core::probe_verdict.
  attempt_ended,    // value: the end.
  wait_refused,
  deadline,
  client_gone,
  draining,
};

struct event {
  event_kind what;
  std::uint32_t value = 0;
};

enum class told_as : std::uint8_t { live, live_unrecorded, replay, same, problem };

// What a client is told.
struct told {
  told_as how{};
  core::problem_type type{};
  core::operation_state state{};
  bool new_key_safe = false;
  answer_tag answer = 0;
};

enum class action_kind : std::uint8_t {
  finish,
  submit,   // value: the command.
  renew,    // value: the command.
  forward,  // value: the fence.
  pass_unguarded,
  join_probe,
  leave_probe,
  end_probe,  // value: the end.
  probe,
  join_waiters,
  leave_waiters,
  wake_waiters,  // value: the end.
  set_deadline,  // value: milliseconds since the start.
  respond,
};

// An action, as far as the model looks at it.
struct seen_action {
  action_kind what;
  std::uint32_t value = 0;
  told answer = {};
};

// The start of gateways' time.
constexpr base::moment epoch{std::chrono::seconds{1'000}};

class machines {
 public:
  machines(const core::policy& rules, vocabulary& words) : rules_(rules), words_(words) {}

  // A fresh exchange for a request of this kind.
  std::uint32_t make(unsigned kind, unsigned exchange_name);

  struct step {
    std::uint32_t next;  // 0 when finished.
    std::vector<seen_action> actions;
  };
  // `ticks_now`: the gateway's time.
  const step& on(std::uint32_t machine, event what, unsigned ticks_now);

  std::size_t size() const { return exchanges_.size(); }
  std::size_t steps() const { return steps_.size(); }

 private:
  core::exchange_event real(event what) const;
  seen_action seen(const core::action& what);

  const core::policy& rules_;
  vocabulary& words_;
  pool<core::exchange> exchanges_;
  flat_map known_;
  std::deque<step> steps_;
};

}  // namespace onceward::model
