// The machine of one guarded request: from the moment its identity is known to the moment its client has an answer and
// the store has the outcome.
//
// It is told what happened (an event, with the time) and returns what to do (actions, in order). It never waits, reads
// a clock or draws a random number. A shell carries the actions out and reports back; the same machine runs in the
// gateway, the library, the simulator and the model checker.
//
// Promises, by the names of docs/architecture.md: claim-before-forward (`forward` is returned only on a grant),
// record-before-response (`respond` with an upstream's answer only after the store acknowledged its record),
// unknown-stays-unknown, mismatch-reads-only, and its share of no-wedge: while it is not finished, it has a command at
// the store, an attempt or a probe at the upstream, or a deadline.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/inplace_vector.h"
#include "base/time.h"
#include "core/policy.h"
#include "core/problem.h"
#include "onceward/store.h"

namespace onceward::core {

// ---- Events --------------------------------------------------------------------------------------------------------

// A complete answer of the upstream, or one whose head is complete and whose body is larger than is kept.
struct upstream_answer {
  std::uint16_t status;
  std::optional<outcome_class> stated;                 // What the upstream says of it itself (Idempotency-Outcome).
  std::optional<std::chrono::milliseconds> retention;  // The upstream's own word on how long to keep it.
  shared_bytes response;   // Encoded for the record; null when the body is too large to be kept.
  shared_bytes tombstone;  // Never null.
};

enum class definite_failure {
  unreachable,  // No byte of the request was accepted by any upstream address.
};

enum class indefinite_failure {
  failed,  // The connection ended, or what came is not HTTP.
  timed_out,
};

using attempt_result = std::variant<upstream_answer, definite_failure, indefinite_failure>;

struct probe_found {
  shared_bytes response;
  shared_bytes tombstone;
};
enum class probe_verdict {
  not_found,      // Definite: the operation did not take effect.
  still_running,  // Ask again.
  no_verdict,     // Stays unknown.
};
using probe_result = std::variant<probe_found, probe_verdict>;

// How the attempt, or the probe, that a duplicate waits for came to its end.
enum class attempt_end {
  completed,    // `tombstone` is set, and `response` unless the body was not kept.
  released,     // `response` is what the upstream answered; null where it was too large to hand on.
  unreachable,  // Released, because no upstream could be reached.
  unknown,
  look_again,  // Whoever probed left before there was a verdict; only the store knows more.
  elsewhere,   // In another process that shares the store, if at all; only the store knows more.
};
struct ended_attempt {
  attempt_end how;
  fence token;               // Of the attempt; 0 where a probe ended.
  shared_bytes fingerprint;  // Of the attempt's request: a waiter that joined late may belong to another one.
  shared_bytes response;
  shared_bytes tombstone;
};

struct event_started {};
struct event_store_replied {
  reply value;
};
struct event_renewal_replied {
  reply value;
};
struct event_upstream_ended {
  attempt_result result;
};
struct event_probe_joined {
  bool first;  // It is ours to ask; otherwise the end of another's probe comes as event_attempt_ended.
};
struct event_probe_ended {
  probe_result result;
};
struct event_attempt_ended {
  ended_attempt end;
};
struct event_wait_refused {};  // Too many waiters, for this key, this scope or in total.
struct event_deadline {};      // The moment asked for by set_deadline has come.
struct event_client_gone {};
struct event_draining {};  // Whoever only waits is answered now.

using exchange_event = std::variant<event_started, event_store_replied, event_renewal_replied, event_upstream_ended,
                                    event_probe_joined, event_probe_ended, event_attempt_ended, event_wait_refused,
                                    event_deadline, event_client_gone, event_draining>;

// ---- Actions -------------------------------------------------------------------------------------------------------

// Submit to the store; the reply comes back as event_store_replied. At most one is outstanding while the exchange
// lives; one that is submitted in the same breath as action_finish is not waited for.
struct action_submit {
  command what;
};

// Submit to the store beside whatever else is outstanding; the reply comes back as event_renewal_replied.
struct action_renew {
  renew what;
};

// Forward the request to the upstream, once. The end comes back as event_upstream_ended.
struct action_forward {
  std::uint32_t attempt_number;
  fence token;
};

// Pass the request on unguarded (on_store_failure: pass) and leave the rest to the shell.
struct action_pass_unguarded {};

// Be the one who probes for this key or, while another does, join its waiters; event_probe_joined or event_wait_refused
// comes back.
struct action_join_probe {};
// The next one who joins is the first again; whoever waits goes on waiting, for the attempt that runs now.
struct action_leave_probe {};
// The same, and those who wait for the probe, not for an attempt, are told how it ended.
struct action_end_probe {
  ended_attempt end;
};

// Ask the upstream; event_probe_ended comes back.
struct action_probe {};

// Join the waiters of this key; event_attempt_ended or event_wait_refused comes back.
struct action_join_waiters {};
struct action_leave_waiters {};

// Wake the waiters of this key: the attempt that this exchange ran is over.
struct action_wake_waiters {
  ended_attempt end;
};

// Replaces the one deadline.
struct action_set_deadline {
  base::moment when;
};

// The upstream's answer as it came. `not_recorded`: marked, because no later retry will get it.
struct respond_live {
  bool not_recorded;
};
// The stored answer, with the replay marker.
struct respond_replay {
  shared_bytes response;
};
// The answer that ended the attempt this client waited for, unchanged and without a marker of replay: it was released.
struct respond_same {
  shared_bytes response;
};
struct respond_problem {
  problem what;
};
using response_source = std::variant<respond_live, respond_replay, respond_same, respond_problem>;

// Answer the client, once. Not returned after event_client_gone.
struct action_respond {
  response_source source;
};

// Something worth counting or logging that is not visible otherwise.
enum class noted {
  duplicate_effect_prevented,  // A duplicate was answered without reaching the upstream.
  takeover,
  renewal_failed,
  outcome_fenced,       // A late outcome was refused: another attempt owns the record.
  outcome_resubmitted,  // The store did not take the outcome at once.
  outcome_lost,         // The store did not take it until the lease ended.
  passed_unguarded,
};
struct action_note {
  noted what;
};

// The exchange is over; the machine takes no further event.
struct action_finish {};

using action =
    std::variant<action_finish, action_submit, action_renew, action_forward, action_pass_unguarded, action_join_probe,
                 action_leave_probe, action_end_probe, action_probe, action_join_waiters, action_leave_waiters,
                 action_wake_waiters, action_set_deadline, action_respond, action_note>;

// The actions of one event, in the order in which to do them. No event has more; an action is large, so it is made in
// its place.
class action_list : public base::inplace_vector<action, 6> {
 public:
  template <typename Action>
  void push(Action next) {
    emplace_back(std::in_place_type<Action>, std::move(next));
  }
};

// ---- The machine ---------------------------------------------------------------------------------------------------

struct exchange_identity {
  record_key key;
  attempt_id attempt;        // Random. Every claim of the exchange after the first adds one.
  shared_bytes fingerprint;  // Never null; empty where the route does not compare.
};

// Not for several threads at once. Holds the shared bytes of at most one response.
class exchange {
 public:
  // `rules` is borrowed until the exchange has finished.
  exchange(exchange_identity identity, const policy& rules);

  // What to do about `what`, which happened at `now`. An event that comes too late (a wake-up after the deadline) is
  // ignored; one that cannot be (an upstream's answer without an attempt) is an assertion.
  action_list on(exchange_event&& what, base::moment now);

  bool finished() const { return std::holds_alternative<over>(state_); }

  // Nothing of it runs: it waits for the attempt or the probe of another.
  bool is_waiting() const { return std::holds_alternative<waiting>(state_); }

  // Whether bytes of the attempt that it asked to forward may be sent now. Where the lease has ended meanwhile, others
  // may act on the key: it is then to end without another byte, as a definite failure if none was sent before.
  bool may_send_attempt(base::moment now) const {
    const auto* running = std::get_if<forwarding>(&state_);
    return running != nullptr && now < running->lease_end;
  }

  // The grant under which this exchange forwards or forwarded, for logs.
  struct grant {
    std::uint32_t attempt_number;
    fence token;
  };
  std::optional<grant> granted() const { return grant_; }

 private:
  struct fresh {};
  // The claim is at the store, or waits to be submitted again after an indefinite failure.
  struct claiming {
    std::optional<attempt_id> over_unknown;
    base::moment give_up;
    base::moment submitted_at;
    bool submitted;
  };
  // A duplicate waits for the attempt of another. The find closes the gap between the store's reply and joining the
  // waiters, and looks again when the other's lease ends. Behind a probe there is no such gap and no such end.
  struct waiting {
    fence seen;  // Of the attempt that the record belongs to: the end of an earlier one is no news.
    bool finding;
    bool behind_probe;
    bool overheard = false;  // An earlier one's end came, so this exchange is no longer among the waiters.
  };
  struct forwarding {
    base::moment lease_end;  // Confirmed by the store.
    base::moment renewal_submitted;
    bool renewing;
    bool renewable;  // False once the store said that the lease is gone.
    bool takeover;   // Of a record whose outcome is unknown, and stays so unless this attempt is answered.
  };
  // The outcome is at the store, or waits to be submitted again.
  struct recording {
    command outcome;
    response_source answer;
    ended_attempt end;
    base::moment lease_end;
    std::chrono::milliseconds backoff;
    bool submitted;
  };
  // Nobody knows what became of the attempt `owner`, and its route says to ask the upstream. One exchange for each key
  // does so; it looks at the record first, because the one before it may have just had its verdict.
  struct probing {
    attempt_id owner;
    fence seen;  // Of that attempt.
    std::chrono::milliseconds backoff;
    enum class step { joining, looking, asking, pausing, completing, releasing, reading } now;
  };
  struct over {};
  using state = std::variant<fresh, claiming, waiting, forwarding, recording, probing, over>;

  friend struct exchange_step;
  friend struct exchange_access;  // The model checker's, which must tell states apart.

  exchange_identity identity_;
  const policy& rules_;
  state state_;
  std::optional<grant> grant_;
  std::optional<base::moment> give_up_;  // Of waiting and probing together, from when they began.
  int claims_ = 0;                       // Submitted so far; bounded.
  bool client_present_ = true;
  bool probes_ = false;  // First of those who joined the probe, and has not left it.
};

}  // namespace onceward::core
