#include "tests/model/world.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace onceward::model {
namespace {

// Nobody may still wait so long after the start; every bound of a run adds up to far less.
constexpr unsigned ticks_until_wedged = 90;

constexpr std::int8_t jump_ticks = 3;

template <typename T>
std::string text(const T& part) {
  if constexpr (std::is_integral_v<T>) {
    return std::to_string(part);
  } else {
    return std::string(part);
  }
}

char gateway_letter(unsigned gateway) {
  return static_cast<char>('A' + gateway);
}

const char* to_string(core::probe_verdict verdict) {
  switch (verdict) {
    case core::probe_verdict::not_found:
      return "not found: it did not take effect";
    case core::probe_verdict::still_running:
      return "still running";
    case core::probe_verdict::no_verdict:
      return "nothing that helps";
  }
  return "";
}

}  // namespace

world::world(scenario about)
    : about_(std::move(about)),
      words_(about_),
      machines_(about_.rules, words_),
      tables_(words_),
      checks_(about_, words_, tables_) {
  indefinite_ = words_.add(reply{store_failure{certainty::indefinite, errc::timeout}});
  refused_ = words_.add(reply{store_failure{certainty::definite, errc::unavailable}});
  onceward_assert(words_.key_count() <= keys_max && about_.callers.size() <= callers_max);
}

state world::start() {
  state first;
  std::memset(static_cast<void*>(&first), 0, sizeof first);
  first.table = tables_.empty();
  for (std::size_t i = 0; i < bounded_count; ++i)
    first.left[i] = static_cast<std::uint8_t>(about_.at_most[i]);
  for (const unsigned kind : about_.callers)
    first.callers[first.caller_count++] = static_cast<std::uint8_t>(kind);
  sort(first);
  return first;
}

// ---- Trying every step ---------------------------------------------------------------------------------------------

template <typename... Parts>
void world::say(const Parts&... parts) {
  if (!telling_) return;
  std::string line;
  ((line += text(parts)), ...);
  story_.push_back(std::move(line));
}

std::string world::name_of(const exchange_slot& who) const {
  return "request " + std::to_string(who.name);
}

template <typename Do>
bool world::take_turn(turn now, Do& act) {
  turn_ = now;
  story_.clear();
  checks_.begin();
  state next = *from_;
  act(next);
  if (next.table != from_->table || next.store_now() != from_->store_now()) checks_.after_time(next);
  sort(next);
  sink_->take(next, checks_.found(), story_);
  return true;
}

template <typename Do>
void world::branch(Do act) {
  offers_lost_answer_ = offers_wait_refused_ = false;
  take_turn(turn::plain, act);
  const bool lost = offers_lost_answer_;
  const bool refused = offers_wait_refused_;
  if (lost) take_turn(turn::answer_lost, act);
  if (refused) take_turn(turn::wait_refused, act);
  turn_ = turn::plain;
}

// A step that happens only so often in one run.
template <typename Do>
void world::fault(bounded what, Do act) {
  if (from_->budget(what) == 0) return;
  branch([&](state& in) {
    --in.budget(what);
    act(in);
  });
}

std::optional<finding> world::each_successor(const state& from, successor_sink& sink, bool tell) {
  from_ = &from;
  sink_ = &sink;
  telling_ = tell;
  progress_ = false;
  callers_send();
  letters_move();
  stragglers_arrive();
  upstream_works();
  wakes_and_deadlines();
  probes_end();
  clients_leave();
  gateways_fail();
  operator_resolves();
  time_passes();
  const bool somebody_waits = from.exchange_count > 0 || from.caller_count > 0;
  if (!progress_ && somebody_waits) return finding{"no-wedge", "nothing can happen any more, and somebody waits"};
  if (!somebody_waits && is_wedged(from)) return finding{"no-wedge", "a claim outlives its lease, and nobody holds it"};
  if (from.now > ticks_until_wedged) return finding{"no-wedge", "somebody waits beyond every deadline"};
  return std::nullopt;
}

// When everybody has left, whatever is in flight is unknown as soon as its lease is over.
bool world::is_wedged(const state& at) {
  if (at.budget(bounded::clock_jumps) != about_.limit(bounded::clock_jumps)) return false;
  const int later = at.store_now() + static_cast<int>(about_.rules.lease / tick);
  for (unsigned kind = 0; kind < about_.kinds.size(); ++kind) {
    const reply_facts& facts = words_.facts_of_reply(tables_.look(at.table, kind, later));
    if (facts.type == reply_type<record_in_flight>) return true;
  }
  return false;
}

// ---- Callers -------------------------------------------------------------------------------------------------------

void world::callers_send() {
  for (std::size_t i = 0; i < from_->caller_count; ++i) {
    const std::uint8_t kind = from_->callers[i];
    if (i > 0 && from_->callers[i - 1] == kind) continue;
    progress_ = true;
    if (from_->exchange_count == exchanges_max) continue;
    // A gateway that was not used yet is like every other of them.
    const unsigned reachable = std::min(about_.gateways, from_->gateways_used + 1u);
    for (unsigned gateway = 0; gateway < reachable; ++gateway) {
      branch([&](state& in) {
        in.callers[i] = std::exchange(in.callers[--in.caller_count], std::uint8_t{0});
        in.gateways_used = std::max(in.gateways_used, static_cast<std::uint8_t>(gateway + 1));
        exchange_slot slot{};
        slot.name = ++in.exchanges_begun;
        slot.machine = machines_.make(kind, slot.name);
        slot.deadline_ms = never;
        slot.gateway = static_cast<std::uint8_t>(gateway);
        slot.kind = kind;
        slot.listened_to = true;
        slot.earlier = in.grant_count;
        in.exchanges[in.exchange_count] = slot;
        say("a caller sends ", words_.kind(kind).text, " to gateway ", std::string(1, gateway_letter(gateway)), " as ",
            name_of(slot));
        deliver(in, in.exchange_count++, {event_kind::started});
      });
    }
  }
}

// A caller without an answer sends its request again, if it still wants to.
void world::leave_caller(state& in, std::uint8_t kind) {
  if (in.budget(bounded::retries) == 0) return;
  --in.budget(bounded::retries);
  in.callers[in.caller_count++] = kind;
}

void world::clients_leave() {
  for (std::size_t at = 0; at < from_->exchange_count; ++at) {
    if (!from_->exchanges[at].listened_to) continue;
    fault(bounded::client_faults, [&](state& in) {
      exchange_slot& who = in.exchanges[at];
      say("the client of ", name_of(who), " goes away");
      who.listened_to = false;
      leave_caller(in, who.kind);
      deliver(in, at, {event_kind::client_gone});
    });
  }
}

// ---- The network and the store -------------------------------------------------------------------------------------

void world::letters_move() {
  for (std::size_t at = 0; at < from_->exchange_count; ++at) {
    const exchange_slot& who = from_->exchanges[at];
    if (who.letter_at == mail::command) letter_moves(at, false);
    if (who.letter_at == mail::reply) replies_arrive(at, false);
    if (who.renewal_at == mail::command) letter_moves(at, true);
    if (who.renewal_at == mail::reply) replies_arrive(at, true);
  }
}

void world::letter_moves(std::size_t at, bool renewal) {
  const std::uint32_t command = renewal ? from_->exchanges[at].renewal : from_->exchanges[at].letter;
  const event_kind told = renewal ? event_kind::renewal_replied : event_kind::store_replied;
  const auto settle = [&, renewal](state& in, mail where, std::uint32_t letter) {
    exchange_slot& who = in.exchanges[at];
    (renewal ? who.renewal_at : who.letter_at) = where;
    (renewal ? who.renewal : who.letter) = letter;
  };
  const auto reply_with = [&, told](state& in, std::uint32_t answer) {
    if (about_.replies_overtake) return settle(in, mail::reply, answer);
    settle(in, mail::none, 0);
    deliver(in, at, {told, answer});
  };
  progress_ = true;
  branch([&](state& in) { reply_with(in, apply(in, command, true)); });
  if (!about_.replies_overtake)
    fault(bounded::slow_replies, [&](state& in) { settle(in, mail::reply, apply(in, command, true)); });
  if (about_.store == store_kind::shared) {
    fault(bounded::store_faults, [&](state& in) {
      say("the network doubles the ", words_.text_of_command(command));
      straggle(in, command);
      reply_with(in, apply(in, command, true));
    });
    fault(bounded::store_faults, [&](state& in) {
      say("the network loses the ", words_.text_of_command(command), "; no reply in time");
      settle(in, mail::none, 0);
      deliver(in, at, {told, indefinite_});
    });
    fault(bounded::store_faults, [&](state& in) {
      say("the network holds the ", words_.text_of_command(command), " back; no reply in time");
      straggle(in, command);
      settle(in, mail::none, 0);
      deliver(in, at, {told, indefinite_});
    });
  }
  fault(bounded::store_faults, [&](state& in) {
    say("the store refuses the ", words_.text_of_command(command));
    settle(in, mail::none, 0);
    deliver(in, at, {told, refused_});
  });
  if (words_.facts_of_command(command).type != command_type<claim>) return;
  fault(bounded::store_faults, [&](state& in) {
    say("the store is full:");
    reply_with(in, apply(in, command, false));
  });
}

void world::replies_arrive(std::size_t at, bool renewal) {
  const std::uint32_t letter = renewal ? from_->exchanges[at].renewal : from_->exchanges[at].letter;
  const event_kind told = renewal ? event_kind::renewal_replied : event_kind::store_replied;
  const auto take = [&, renewal](state& in) {
    exchange_slot& who = in.exchanges[at];
    (renewal ? who.renewal_at : who.letter_at) = mail::none;
    (renewal ? who.renewal : who.letter) = 0;
  };
  progress_ = true;
  branch([&](state& in) {
    say(name_of(in.exchanges[at]),
        renewal ? " hears of its renewal: " : " hears from the store: ", words_.text_of_reply(letter));
    take(in);
    deliver(in, at, {told, letter});
  });
  if (about_.store != store_kind::shared) return;
  fault(bounded::store_faults, [&](state& in) {
    say("the network loses the reply to ", name_of(in.exchanges[at]), ": ", words_.text_of_reply(letter));
    take(in);
    deliver(in, at, {told, indefinite_});
  });
}

void world::stragglers_arrive() {
  for (std::size_t i = 0; i < from_->straggler_count; ++i) {
    if (i > 0 && from_->stragglers[i] == from_->stragglers[i - 1]) continue;
    progress_ = true;
    branch([&](state& in) {
      const std::uint32_t command = in.stragglers[i];
      in.stragglers[i] = in.stragglers[--in.straggler_count];
      in.stragglers[in.straggler_count] = 0;
      say("late, and nobody waits for the reply:");
      apply(in, command, true);
    });
  }
}

// A command in the network whose reply nobody waits for. One too many is lost, which the network may do anyway.
void world::straggle(state& in, std::uint32_t command) {
  if (in.straggler_count < stragglers_max) in.stragglers[in.straggler_count++] = command;
}

std::uint32_t world::apply(state& in, std::uint32_t command, bool has_room) {
  const std::uint32_t before = in.table;
  const unsigned grants_before = in.grant_count;
  const tables::step made = tables_.apply(before, command, in.store_now(), in.grant_count + 1u, has_room);
  in.table = made.next;
  say("the store takes the ", words_.text_of_command(command), ": ", words_.text_of_reply(made.answer));
  checks_.after_command(in, before, command, made.answer);
  const bool new_grant = in.grant_count > grants_before;
  if (!has_room && new_grant) checks_.report("bounded", "a full store granted a claim");
  return made.answer;
}

// An operator asks the upstream and says what it sees; as long as the request is under way, nothing.
void world::operator_resolves() {
  if (from_->budget(bounded::resolutions) == 0) return;
  for (unsigned kind = 0; kind < about_.kinds.size(); ++kind) {
    const std::uint32_t seen = tables_.look(from_->table, kind, from_->store_now());
    const auto* unknown = std::get_if<record_unknown>(&words_.reply_of(seen));
    if (unknown == nullptr || !words_.alike(words_.facts_of_reply(seen).kind, kind)) continue;
    const attempt_id owner = unknown->summary.attempt;
    const auto submit = [&](state& in, command what) {
      say("an operator has looked at the upstream, and submits the ", words_.text_of_command(words_.add(what)));
      straggle(in, words_.add(what));
    };
    for_each_truth(words_.kind(kind).key, [&](truth what, unsigned fence) {
      if (what == truth::running) return;
      fault(bounded::resolutions, [&](state& in) {
        see(in, words_.kind(kind).key, what, fence);
        if (what == truth::nothing) return submit(in, release{words_.kind(kind).record, owner});
        const answer_tag tag = tag_of(ending::resolved, fence, in.grants[fence - 1].kind);
        submit(in, complete{words_.kind(kind).record, owner,
                            outcome_completed{words_.answers().response(tag), words_.answers().tombstone(tag),
                                              about_.rules.retention, about_.rules.retention_tombstone}});
      });
    });
  }
}

// ---- The upstream --------------------------------------------------------------------------------------------------

template <typename Do>
void world::for_each_attempt(const state& in, unsigned key, Do act) const {
  for (unsigned fence = 1; fence <= in.grant_count; ++fence) {
    const grant_history& grant = in.grants[fence - 1];
    if (!grant.past && words_.kind(grant.kind).key == key) act(fence, grant.at_upstream);
  }
}

// What somebody who asks the upstream about this key can be told, truly.
template <typename Do>
void world::for_each_truth(unsigned key, Do act) {
  unsigned done = 0;
  bool possible = false;
  bool attended = false;
  for_each_attempt(*from_, key, [&](unsigned fence, effect what) {
    if (what == effect::done) done = fence;
    if (what != effect::possible) return;
    possible = true;
    const auto end = from_->exchanges.begin() + from_->exchange_count;
    attended |= std::any_of(from_->exchanges.begin(), end, [&](const auto& each) { return each.attempt == fence; });
  });
  if (done != 0) return act(truth::effect, done);
  for_each_attempt(*from_, key, [&](unsigned fence, effect what) {
    if (what == effect::possible) act(truth::effect, fence);
  });
  if (possible) act(truth::running, 0);
  if (!attended) act(truth::nothing, 0);
}

// From now on it is so.
void world::see(state& in, unsigned key, truth what, unsigned fence) {
  if (what == truth::running) return;
  if (what == truth::effect) {
    if (in.grants[fence - 1].at_upstream != effect::done) checks_.before_effect(in, fence);
    in.grants[fence - 1].at_upstream = effect::done;
    return;
  }
  for_each_attempt(in, key, [&](unsigned each, effect now) {
    if (now == effect::possible) in.grants[each - 1].at_upstream = effect::none;
  });
}

void world::upstream_works() {
  for (std::size_t at = 0; at < from_->exchange_count; ++at) {
    if (from_->exchanges[at].attempt == 0) continue;
    progress_ = true;
    if (about_.rules.on_unknown == core::unknown_policy::redispatch) {
      attempt_ends_deduplicated(at);
    } else {
      attempt_ends(at);
    }
  }
}

// `source` is the attempt that took effect, where the answer speaks of an effect.
void world::end_attempt(state& in, std::size_t at, ending how, unsigned source, effect leaves) {
  exchange_slot& who = in.exchanges[at];
  const unsigned fence = std::exchange(who.attempt, std::uint8_t{0});
  say(name_of(who), "'s attempt ", fence, " ends: ", to_string(how));
  if (leaves == effect::done && in.grants[source - 1].at_upstream != effect::done) checks_.before_effect(in, source);
  in.grants[fence - 1].at_upstream = source == fence ? leaves : effect::none;
  if (leaves == effect::done) in.grants[source - 1].at_upstream = effect::done;
  who.heard = tag_of(how, source, who.kind);
  deliver(in, at, {event_kind::upstream_ended, who.heard});
}

void world::attempt_ends(std::size_t at) {
  const unsigned fence = from_->exchanges[at].attempt;
  const auto end = [this, at, fence](ending how, effect leaves) {
    return [this, at, fence, how, leaves](state& in) { end_attempt(in, at, how, fence, leaves); };
  };
  const effect now = from_->grants[fence - 1].at_upstream;
  branch(end(ending::fulfilled, effect::done));
  fault(bounded::upstream_faults, end(ending::too_large, effect::done));
  fault(bounded::upstream_faults, end(ending::gateway_timeout, now));
  fault(bounded::upstream_faults, end(ending::failed, now));
  if (now == effect::done) return;
  branch(end(ending::rejected, effect::none));
  fault(bounded::upstream_faults, end(ending::refused, effect::none));
  fault(bounded::upstream_faults, end(ending::unreachable, effect::none));
}

// An upstream that deduplicates by the key: the first attempt that it works on decides, and the others get its answer.
void world::attempt_ends_deduplicated(std::size_t at) {
  const unsigned fence = from_->exchanges[at].attempt;
  const unsigned key = words_.kind(from_->exchanges[at].kind).key;
  const unsigned done = invariants::effect_beside(*from_, words_, fence);
  const effect now = from_->grants[fence - 1].at_upstream;
  const auto decided = [this, at, fence, key](ending how, unsigned source, effect leaves) {
    return [this, at, fence, key, how, source, leaves](state& in) {
      for_each_attempt(in, key, [&](unsigned each, effect what) {
        if (each != fence && what == effect::possible) in.grants[each - 1].at_upstream = effect::none;
      });
      end_attempt(in, at, how, source, leaves);
    };
  };
  const auto undecided = [this, at, fence](ending how, effect leaves) {
    return [this, at, fence, how, leaves](state& in) { end_attempt(in, at, how, fence, leaves); };
  };
  for_each_attempt(*from_, key, [&](unsigned source, effect what) {
    if (done != 0 ? source != done : what != effect::possible) return;
    branch(decided(ending::fulfilled, source, effect::done));
    fault(bounded::upstream_faults, decided(ending::too_large, source, effect::done));
  });
  if (done == 0) branch(decided(ending::rejected, fence, effect::none));
  fault(bounded::upstream_faults, undecided(ending::gateway_timeout, now));
  fault(bounded::upstream_faults, undecided(ending::failed, now));
  if (now == effect::done) return;
  fault(bounded::upstream_faults, undecided(ending::refused, effect::none));
  fault(bounded::upstream_faults, undecided(ending::unreachable, effect::none));
}

// The status URL tells the truth: "not found" only where nothing has taken effect and nothing can any more.
void world::probes_end() {
  for (std::size_t at = 0; at < from_->exchange_count; ++at) {
    if (!from_->exchanges[at].asks) continue;
    progress_ = true;
    const unsigned key = words_.kind(from_->exchanges[at].kind).key;
    const auto verdict = [&](state& in, core::probe_verdict what) {
      in.exchanges[at].asks = false;
      say("the status URL tells ", name_of(in.exchanges[at]), ": ", to_string(what));
      deliver(in, at, {event_kind::probe_verdict, static_cast<std::uint32_t>(what)});
    };
    for_each_truth(key, [&](truth what, unsigned fence) {
      branch([&](state& in) {
        see(in, key, what, fence);
        if (what == truth::running) return verdict(in, core::probe_verdict::still_running);
        if (what == truth::nothing) return verdict(in, core::probe_verdict::not_found);
        const answer_tag tag = tag_of(ending::probed, fence, in.grants[fence - 1].kind);
        in.exchanges[at].asks = false;
        say("the status URL tells ", name_of(in.exchanges[at]), ": ", words_.text_of_answer(tag));
        deliver(in, at, {event_kind::probe_found, tag});
      });
    });
    fault(bounded::upstream_faults, [&](state& in) { verdict(in, core::probe_verdict::no_verdict); });
  }
}

// ---- Gateways ------------------------------------------------------------------------------------------------------

void world::wakes_and_deadlines() {
  for (std::size_t at = 0; at < from_->exchange_count; ++at) {
    const exchange_slot& who = from_->exchanges[at];
    if (who.wake != 0) {
      progress_ = true;
      branch([&](state& in) {
        say(name_of(in.exchanges[at]), " is told how the attempt ended that it waited for");
        deliver(in, at, {event_kind::attempt_ended, std::exchange(in.exchanges[at].wake, 0)});
      });
    }
    if (who.deadline_ms <= tick.count() * from_->now) {
      progress_ = true;
      branch([&](state& in) {
        say("the deadline of ", name_of(in.exchanges[at]), " has come");
        in.exchanges[at].deadline_ms = never;
        deliver(in, at, {event_kind::deadline});
      });
    }
  }
}

void world::gateways_fail() {
  for (unsigned gateway = 0; gateway < from_->gateways_used; ++gateway) {
    const auto end = from_->exchanges.begin() + from_->exchange_count;
    const bool busy =
        std::any_of(from_->exchanges.begin(), end, [&](const exchange_slot& each) { return each.gateway == gateway; });
    if (!busy) continue;
    const auto crash = [&](bool commands_arrive) {
      return [this, gateway, commands_arrive](state& in) {
        say("gateway ", std::string(1, gateway_letter(gateway)), " is killed and started again",
            commands_arrive ? "; what it had sent to the store is still on its way" : "");
        for (std::size_t at = in.exchange_count; at-- > 0;) {
          exchange_slot& who = in.exchanges[at];
          if (who.gateway != gateway) continue;
          if (commands_arrive && who.letter_at == mail::command) straggle(in, who.letter);
          if (commands_arrive && who.renewal_at == mail::command) straggle(in, who.renewal);
          if (who.listened_to) leave_caller(in, who.kind);
          remove(in, at);
        }
        if (about_.store == store_kind::embedded) reopen(in);
      };
    };
    fault(bounded::crashes, crash(false));
    if (about_.store == store_kind::shared) fault(bounded::crashes, crash(true));
    fault(bounded::drains, [&](state& in) {
      say("gateway ", std::string(1, gateway_letter(gateway)), " drains");
      for (std::size_t at = in.exchange_count; at-- > 0;) {
        if (in.exchanges[at].gateway == gateway) deliver(in, at, {event_kind::draining});
      }
    });
  }
}

// Whatever was in flight is unknown from now on, and kept from now on.
void world::reopen(state& in) {
  for (unsigned kind = 0; kind < about_.kinds.size(); ++kind) {
    const reply_facts& facts = words_.facts_of_reply(tables_.look(in.table, kind, in.store_now()));
    if (facts.type == reply_type<record_in_flight>) checks_.keep(in, words_.kind(kind).key);
  }
  in.table = tables_.abandon_all(in.table, in.store_now());
}

void world::remove(state& in, std::size_t at) {
  in.exchanges[at] = in.exchanges[--in.exchange_count];
  in.exchanges[in.exchange_count] = {};
}

// ---- Time ----------------------------------------------------------------------------------------------------------

void world::time_passes() {
  fault(bounded::ticks, [&](state& in) { pass_time(in, 1); });
  if (from_->budget(bounded::clock_jumps) != 0) {
    for (const std::int8_t jump : {jump_ticks, static_cast<std::int8_t>(-jump_ticks)}) {
      fault(bounded::clock_jumps, [&](state& in) {
        say("the store's clock jumps by ", int{jump}, " s");
        in.store_ahead = static_cast<std::int8_t>(in.store_ahead + jump);
      });
    }
  }
  if (progress_) return;
  std::uint16_t next = never;
  for (std::size_t at = 0; at < from_->exchange_count; ++at)
    next = std::min(next, from_->exchanges[at].deadline_ms);
  if (next == never) return;
  progress_ = true;
  if (from_->budget(bounded::ticks) > 0) return;
  // Nothing else can happen: time passes until it can.
  const unsigned ticks = (next + static_cast<unsigned>(tick.count()) - 1) / static_cast<unsigned>(tick.count());
  branch([&](state& in) { pass_time(in, ticks - in.now); });
}

void world::pass_time(state& in, unsigned ticks) {
  in.now = static_cast<std::uint8_t>(in.now + ticks);
  say("it is ", in.now, " s", in.store_ahead == 0 ? "" : ", by the store's clock ",
      in.store_ahead == 0 ? "" : std::to_string(in.store_now()) + " s");
}

// ---- What an exchange wants done -----------------------------------------------------------------------------------

void world::deliver(state& in, std::size_t at, event what) {
  const std::uint8_t name = in.exchanges[at].name;
  const machines::step& step = machines_.on(in.exchanges[at].machine, what, in.now);
  in.exchanges[at].machine = step.next;
  bool refused = false;
  bool joined_probe = false;
  bool leads = false;
  for (const seen_action& each : step.actions) {
    perform(in, at, each);
    const bool waits = in.exchanges[at].waits != waits_for::nothing;
    if (each.what == action_kind::join_waiters) refused = !waits;
    if (each.what == action_kind::join_probe) {
      leads = in.exchanges[at].leads_probe;
      joined_probe = leads || waits;
      refused = !joined_probe;
    }
  }
  if (step.next == 0) return finish(in, at);
  onceward_assert(in.exchanges[at].name == name);
  if (refused) return deliver(in, at, {event_kind::wait_refused});
  if (joined_probe) deliver(in, at, {event_kind::probe_joined, leads ? 1u : 0u});
}

void world::perform(state& in, std::size_t at, const seen_action& what) {
  exchange_slot& who = in.exchanges[at];
  switch (what.what) {
    case action_kind::finish:
    case action_kind::pass_unguarded:
      return;
    case action_kind::submit:
      return submit(in, who, what.value, false, who.machine == 0);
    case action_kind::renew:
      return submit(in, who, what.value, true, who.machine == 0);
    case action_kind::forward:
      return forward(in, at, what.value);
    case action_kind::join_probe:
      return join_probe(in, at);
    case action_kind::leave_probe:
      who.leads_probe = false;
      return;
    case action_kind::end_probe:
      who.leads_probe = false;
      return wake(in, at, what.value, waits_for::probe);
    case action_kind::probe:
      if (who.asks) checks_.report("bounded", name_of(who) + " asks the status URL twice at a time");
      who.asks = true;
      say("  ", name_of(who), " asks the upstream's status URL");
      return;
    case action_kind::join_waiters:
      return join(in, who, waits_for::attempt);
    case action_kind::leave_waiters:
      who.waits = waits_for::nothing;
      return;
    case action_kind::wake_waiters:
      return wake(in, at, what.value, waits_for::attempt);
    case action_kind::set_deadline:
      onceward_assert(what.value < never);
      who.deadline_ms = static_cast<std::uint16_t>(what.value);
      return;
    case action_kind::respond:
      return respond(in, at, what.answer);
  }
}

void world::join(state& in, exchange_slot& who, waits_for what) {
  offers_wait_refused_ |= in.budget(bounded::client_faults) > 0;
  if (turn_ == turn::wait_refused) {
    say("  the waiting room is full");
    --in.budget(bounded::client_faults);
    return;
  }
  who.waits = what;
  say("  ", name_of(who),
      what == waits_for::probe ? " waits for the probe of another" : " waits for another's attempt");
}

// One prober for each key in a gateway; the others wait for it.
void world::join_probe(state& in, std::size_t at) {
  exchange_slot& who = in.exchanges[at];
  for (std::size_t i = 0; i < in.exchange_count; ++i) {
    const exchange_slot& other = in.exchanges[i];
    if (!other.leads_probe || other.gateway != who.gateway) continue;
    if (words_.kind(other.kind).key != words_.kind(who.kind).key) continue;
    return join(in, who, waits_for::probe);
  }
  who.leads_probe = true;
}

void world::submit(state& in, exchange_slot& by, std::uint32_t command, bool renewal, bool finishing) {
  say("  ", name_of(by), " submits the ", words_.text_of_command(command));
  if (finishing) return straggle(in, command);
  mail& where = renewal ? by.renewal_at : by.letter_at;
  if (where != mail::none) checks_.report("bounded", name_of(by) + " submits while another command is outstanding");
  where = mail::command;
  (renewal ? by.renewal : by.letter) = command;
}

void world::forward(state& in, std::size_t at, unsigned fence) {
  exchange_slot& who = in.exchanges[at];
  say("  ", name_of(who), " forwards to the upstream as attempt ", fence);
  checks_.before_forward(in, who, fence);
  if (fence == 0 || fence > in.grant_count) return;
  in.grants[fence - 1].forwarded = true;
  in.grants[fence - 1].at_upstream = effect::possible;
  who.attempt = static_cast<std::uint8_t>(fence);
}

// The end of an attempt is told to all who wait, the end of a probe to those who wait for one.
void world::wake(state& in, std::size_t by, std::uint32_t end, waits_for what) {
  const exchange_slot& waker = in.exchanges[by];
  for (std::size_t i = 0; i < in.exchange_count; ++i) {
    exchange_slot& each = in.exchanges[i];
    if (i == by || each.waits == waits_for::nothing || each.gateway != waker.gateway) continue;
    if (what == waits_for::probe && each.waits != waits_for::probe) continue;
    if (words_.kind(each.kind).key != words_.kind(waker.kind).key) continue;
    each.waits = waits_for::nothing;
    if (each.wake == 0) each.wake = end;  // Of two the first is heard.
  }
}

void world::respond(state& in, std::size_t at, const told& what) {
  exchange_slot& who = in.exchanges[at];
  if (telling_) {
    std::string answer = "";
    if (what.how == told_as::live) answer = "the upstream's answer: " + words_.text_of_answer(who.heard);
    if (what.how == told_as::live_unrecorded) answer = "the upstream's answer, marked as not recorded";
    if (what.how == told_as::replay) answer = "a replay of " + words_.text_of_answer(what.answer);
    if (what.how == told_as::same) answer = "what the other attempt got: " + words_.text_of_answer(what.answer);
    if (what.how == told_as::problem) {
      const core::problem ours{what.type, 0, what.state, false, what.new_key_safe};
      answer = "problem " + std::string(core::type_word(ours)) + ", state " + std::string(core::to_string(what.state)) +
               (what.new_key_safe ? ", a new key is safe" : ", a new key is not safe");
    }
    say("  the client of ", name_of(who), " is told: ", answer);
  }
  if (!who.listened_to) return checks_.report("no-wedge", name_of(who) + " answers a client that has left");
  checks_.before_respond(in, who, what);
  offers_lost_answer_ |= in.budget(bounded::retries) > 0;
  if (turn_ == turn::answer_lost) {
    say("  and will send the request again");
    leave_caller(in, who.kind);
  }
  who.listened_to = false;
}

void world::finish(state& in, std::size_t at) {
  const exchange_slot& who = in.exchanges[at];
  const bool passed_on = about_.rules.on_store_failure == core::store_failure_policy::pass;
  if (who.listened_to && !passed_on) checks_.report("no-wedge", name_of(who) + " is over and its client has no answer");
  if (who.letter_at == mail::command) straggle(in, who.letter);
  if (who.renewal_at == mail::command) straggle(in, who.renewal);
  if (who.leads_probe) checks_.report("no-wedge", name_of(who) + " is over and still leads the probe");
  remove(in, at);
}

}  // namespace onceward::model
