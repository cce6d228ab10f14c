#include "core/exchange.h"

#include <algorithm>

#include "base/assert.h"
#include "core/fingerprint.h"
#include "core/outcome.h"
#include "core/record_codec.h"

namespace onceward::core {

using base::moment;
using std::chrono::milliseconds;

namespace {

// A claim whose outcome is indefinite is submitted again for so long; after that the client is better off with a 503.
constexpr milliseconds claim_patience{2'000};
constexpr milliseconds resubmit_backoff{50};
constexpr milliseconds resubmit_backoff_max{1'000};

// Claims that one exchange may submit: each further one means that the record changed under it once more.
constexpr int claims_max = 8;

const record_summary* summary_of(const reply& value) {
  if (const auto* r = std::get_if<record_in_flight>(&value)) return &r->summary;
  if (const auto* r = std::get_if<record_completed>(&value)) return &r->summary;
  if (const auto* r = std::get_if<record_unknown>(&value)) return &r->summary;
  return nullptr;
}

// Attempt ids are random; the next one of the same exchange need only differ.
attempt_id following(attempt_id id) {
  for (auto byte = id.bytes.rbegin(); byte != id.bytes.rend(); ++byte) {
    *byte = static_cast<std::byte>(std::to_integer<unsigned>(*byte) + 1);
    if (*byte != std::byte{0}) break;
  }
  return id;
}

operation_state state_of(const reply& value) {
  if (std::holds_alternative<record_in_flight>(value)) return operation_state::in_flight;
  if (std::holds_alternative<record_completed>(value)) return operation_state::completed;
  return operation_state::unknown;
}

}  // namespace

exchange::exchange(exchange_identity identity, const policy& rules)
    : identity_(std::move(identity)), rules_(rules), state_(fresh{}) {
  onceward_assert(identity_.fingerprint != nullptr);
}

// One event's worth of the machine: the overloads of on() are the table of state and event. A pair that is not written
// out falls to the two templates at the end: too late, or impossible.
struct exchange_step {
  exchange& self;
  moment now;
  action_list& out;

  using fresh = exchange::fresh;
  using claiming = exchange::claiming;
  using waiting = exchange::waiting;
  using forwarding = exchange::forwarding;
  using recording = exchange::recording;
  using probing = exchange::probing;
  using over = exchange::over;

  // ---- What several transitions share ------------------------------------------------------------------------------

  void finish() {
    end_probe(attempt_end::look_again);
    self.state_ = over{};
    out.push(action_finish{});
  }

  void answer(response_source source) {
    if (self.client_present_) out.push(action_respond{std::move(source)});
  }

  void refuse(problem_type type, operation_state state) { refuse(make_problem(type, self.rules_, state)); }
  void refuse(problem what) {
    answer(respond_problem{std::move(what)});
    finish();
  }

  ended_attempt end_of(attempt_end how, shared_bytes response = nullptr, shared_bytes tombstone = nullptr) const {
    const fence token = self.grant_ ? self.grant_->token : fence{0};
    return {how, token, self.identity_.fingerprint, std::move(response), std::move(tombstone)};
  }

  void leave_probe() {
    if (std::exchange(self.probes_, false)) out.push(action_leave_probe{});
  }
  void end_probe(attempt_end how, const shared_bytes& response = nullptr, const shared_bytes& tombstone = nullptr) {
    if (std::exchange(self.probes_, false)) out.push(action_end_probe{end_of(how, response, tombstone)});
  }

  // However often the record changes meanwhile, a client waits once.
  moment give_up() {
    if (!self.give_up_) self.give_up_ = now + self.rules_.wait;
    return *self.give_up_;
  }

  // A claim of its own, under an attempt id of its own: the one before may have been granted once, and whoever speaks
  // of that attempt must not be taken to speak of this one.
  void submit_claim(std::optional<attempt_id> over_unknown, moment give_up) {
    if (++self.claims_ > claims_max) return refuse(problem_type::in_flight, operation_state::in_flight);
    if (self.claims_ > 1) self.identity_.attempt = following(self.identity_.attempt);
    submit_claim_again(over_unknown, give_up);
  }

  // The same claim as before: its reply was lost.
  void submit_claim_again(std::optional<attempt_id> over_unknown, moment give_up) {
    self.state_ = claiming{over_unknown, give_up, now, true};
    out.push(action_submit{claim{.key = self.identity_.key,
                                 .attempt = self.identity_.attempt,
                                 .lease = self.rules_.lease,
                                 .retention = std::max(self.rules_.retention, self.rules_.retention_tombstone),
                                 .fingerprint = self.identity_.fingerprint,
                                 .over_unknown = over_unknown}});
  }

  bool same_request(const shared_bytes& stored) const {
    return core::same_request(*stored, *self.identity_.fingerprint);
  }

  void refuse_mismatch(const shared_bytes& stored, operation_state state) {
    problem what = make_problem(problem_type::mismatch, self.rules_, state);
    what.differs = differing_parts(*stored, *self.identity_.fingerprint);
    refuse(std::move(what));
  }

  // A completed record answers a duplicate: with its response, or with what is left of it.
  void answer_completed(const shared_bytes& response, const shared_bytes& tombstone) {
    out.push(action_note{noted::duplicate_effect_prevented});
    end_probe(attempt_end::completed, response, tombstone);
    if (response != nullptr && self.rules_.duplicate == duplicate_policy::replay) {
      answer(respond_replay{response});
      return finish();
    }
    const bool gone = self.rules_.duplicate == duplicate_policy::replay;
    problem what = make_problem(gone ? problem_type::result_gone : problem_type::duplicate, self.rules_,
                                operation_state::completed);
    if (const auto left = read_tombstone(*tombstone)) {
      what.result_status = left->status;
      what.result_location = std::string(left->location);
    }
    refuse(std::move(what));
  }

  // The same for a record whose outcome nobody knows, and who waits for our probe hears it too.
  void stay_unknown() {
    out.push(action_note{noted::duplicate_effect_prevented});
    end_probe(attempt_end::unknown);
    refuse(problem_type::outcome_unknown, operation_state::unknown);
  }

  // The lease counts from when the claim was submitted: the store may have granted it as early as that. A grant that
  // took longer than its lease to arrive may belong to somebody else by now, so nothing is forwarded under it.
  void forward(const claim_granted& granted, bool takeover, moment submitted_at) {
    const moment lease_end = submitted_at + granted.lease_left;
    if (now >= lease_end) {
      out.push(action_submit{give_back(takeover)});
      return refuse(problem_type::store_unavailable, operation_state::unknown);
    }
    leave_probe();  // Whoever waits for it is woken by the attempt.
    self.grant_ = exchange::grant{granted.attempt_number, granted.token};
    self.state_ = forwarding{
        .lease_end = lease_end, .renewal_submitted = now, .renewing = false, .renewable = true, .takeover = takeover};
    if (takeover) out.push(action_note{noted::takeover});
    out.push(action_forward{granted.attempt_number, granted.token});
    out.push(action_set_deadline{now + self.rules_.lease / 3});
  }

  // What ends an attempt that did not take effect. After a takeover the key is not free all the same: the attempt
  // before may have.
  command give_back(bool takeover) const {
    if (takeover) return unknown_command();
    return release{self.identity_.key, self.identity_.attempt};
  }

  // ---- The claim ---------------------------------------------------------------------------------------------------

  void on(fresh&, event_started&) { submit_claim(std::nullopt, now + claim_patience); }

  void on(claiming& state, event_store_replied& event) {
    if (const auto* granted = std::get_if<claim_granted>(&event.value)) {
      return forward(*granted, state.over_unknown.has_value(), state.submitted_at);
    }
    if (const auto* failure = std::get_if<store_failure>(&event.value)) return claim_failed(state, *failure);
    const record_summary* summary = summary_of(event.value);
    if (summary == nullptr) return refuse(problem_type::store_unavailable, operation_state::unknown);
    if (!same_request(summary->fingerprint)) return refuse_mismatch(summary->fingerprint, state_of(event.value));
    if (const auto* done = std::get_if<record_completed>(&event.value))
      return answer_completed(done->response, done->tombstone);
    if (std::holds_alternative<record_in_flight>(event.value)) return wait(summary->token);
    recover(*summary, state.give_up);
  }

  void claim_failed(claiming& state, const store_failure& failure) {
    const bool indefinite = failure.effect == certainty::indefinite;
    if (indefinite && now + resubmit_backoff < state.give_up) {
      state.submitted = false;
      out.push(action_set_deadline{now + resubmit_backoff});
      return;
    }
    // The claim may stand, and nothing was or will be forwarded under it: give it back, as far as the store hears us.
    if (indefinite) out.push(action_submit{give_back(state.over_unknown.has_value())});
    if (self.rules_.on_store_failure == store_failure_policy::pass && self.client_present_) {
      out.push(action_note{noted::passed_unguarded});
      out.push(action_pass_unguarded{});
      return finish();
    }
    // A full store has looked and found the key free; any other failure tells nothing of the key.
    const bool free = !indefinite && failure.reason == errc::full && !state.over_unknown;
    refuse(problem_type::store_unavailable, free ? operation_state::absent : operation_state::unknown);
  }

  void on(claiming& state, event_deadline&) {
    if (!state.submitted) submit_claim_again(state.over_unknown, state.give_up);
  }

  // ---- Waiting for another's attempt -------------------------------------------------------------------------------

  void wait(fence seen) {
    leave_probe();  // Whoever waits for it is woken by the attempt that is running now.
    if (!self.client_present_) return finish();
    if (now >= give_up()) {
      out.push(action_note{noted::duplicate_effect_prevented});
      return refuse(problem_type::in_flight, operation_state::in_flight);
    }
    self.state_ = waiting{.seen = seen, .finding = true, .behind_probe = false};
    out.push(action_join_waiters{});
    out.push(action_submit{onceward::find{self.identity_.key}});
    out.push(action_set_deadline{give_up()});
  }

  void stop_waiting(problem_type type, operation_state state) {
    out.push(action_leave_waiters{});
    out.push(action_note{noted::duplicate_effect_prevented});
    refuse(type, state);
  }

  void on(waiting& state, event_store_replied& event) {
    state.finding = false;
    if (state.overheard) return look_again();
    if (const auto* running = std::get_if<record_in_flight>(&event.value);
        running && same_request(running->summary.fingerprint)) {
      // A lease that ends unrenewed wakes nobody, so that moment is looked at; one more millisecond makes it be past.
      const moment lease_end = now + running->lease_left + milliseconds{1};
      state.seen = running->summary.token;
      out.push(action_set_deadline{std::min(give_up(), lease_end)});
      return;
    }
    if (std::holds_alternative<store_failure>(event.value)) return;  // The wake-up or the deadline will do.
    out.push(action_leave_waiters{});
    const record_summary* summary = summary_of(event.value);
    if (summary == nullptr) return submit_claim(std::nullopt, give_up());  // It ended just before we joined.
    if (!same_request(summary->fingerprint)) return refuse_mismatch(summary->fingerprint, state_of(event.value));
    if (const auto* done = std::get_if<record_completed>(&event.value))
      return answer_completed(done->response, done->tombstone);
    stay_unknown();
  }

  void look_again() {
    out.push(action_leave_waiters{});
    submit_claim(std::nullopt, now + claim_patience);
  }

  void on(waiting& state, event_attempt_ended& event) {
    const ended_attempt& end = event.end;
    // Word of an attempt that was over before the one that is waited for began: what it says is not true of the key
    // any more. Whoever brought it took this exchange off the list, and so did whoever heard of it from elsewhere.
    const bool is_earlier = end.token != fence{0} && end.token < state.seen;
    if (is_earlier || end.how == attempt_end::elsewhere) {
      state.overheard = true;
      if (!state.finding) look_again();
      return;
    }
    // Another attempt than the one waited for, and another request: this client's own next try will see it as such.
    if (!same_request(end.fingerprint)) return stop_waiting(problem_type::in_flight, operation_state::in_flight);
    switch (end.how) {
      case attempt_end::completed:
        out.push(action_leave_waiters{});
        return answer_completed(end.response, end.tombstone);
      case attempt_end::released:
        if (end.response == nullptr) return stop_waiting(problem_type::in_flight, operation_state::released);
        out.push(action_leave_waiters{});
        out.push(action_note{noted::duplicate_effect_prevented});
        answer(respond_same{end.response});
        return finish();
      case attempt_end::unreachable:
        return stop_waiting(problem_type::upstream_unreachable, operation_state::absent);
      case attempt_end::unknown:
        return stop_waiting(problem_type::outcome_unknown, operation_state::unknown);
      case attempt_end::look_again:
        if (state.behind_probe) look_again();
        return;
      case attempt_end::elsewhere:
        return;  // As an earlier one, above.
    }
  }

  void on(waiting&, event_wait_refused&) {
    out.push(action_note{noted::duplicate_effect_prevented});
    refuse(problem_type::in_flight, operation_state::in_flight);
  }

  void on(waiting& state, event_deadline&) {
    if (now >= give_up()) {
      return state.behind_probe ? stop_waiting(problem_type::outcome_unknown, operation_state::unknown)
                                : stop_waiting(problem_type::in_flight, operation_state::in_flight);
    }
    if (state.finding || state.behind_probe) return;
    state.finding = true;
    out.push(action_submit{onceward::find{self.identity_.key}});
    out.push(action_set_deadline{give_up()});
  }

  void on(waiting& state, event_draining&) {
    stop_waiting(problem_type::draining, state.behind_probe ? operation_state::unknown : operation_state::in_flight);
  }

  void on(waiting&, event_client_gone&) {
    self.client_present_ = false;
    out.push(action_leave_waiters{});
    finish();
  }

  // ---- An outcome that nobody knows --------------------------------------------------------------------------------

  void recover(const record_summary& summary, moment give_up) {
    switch (self.rules_.on_unknown) {
      case unknown_policy::refuse:
        return stay_unknown();
      case unknown_policy::redispatch:
        // The store may hold our own claim whose lease ran out before the reply came: nothing was forwarded under it,
        // but nobody else can know that, so it is not taken over by itself.
        if (summary.attempt == self.identity_.attempt)
          return refuse(problem_type::outcome_unknown, operation_state::unknown);
        return submit_claim(summary.attempt, give_up);
      case unknown_policy::probe:
        if (!self.client_present_) return finish();
        if (self.probes_) return ask(summary);
        self.state_ = probing{summary.attempt, summary.token, self.rules_.probe.backoff, probing::step::joining};
        out.push(action_join_probe{});
        return;
    }
  }

  void ask(const record_summary& summary) {
    self.state_ = probing{summary.attempt, summary.token, self.rules_.probe.backoff, probing::step::asking};
    out.push(action_probe{});
  }

  void on(probing& state, event_probe_joined& event) {
    onceward_assert(state.now == probing::step::joining);
    if (event.first) {
      self.probes_ = true;
      state.now = probing::step::looking;
      out.push(action_submit{onceward::find{self.identity_.key}});
      return;
    }
    self.state_ = waiting{.seen = state.seen, .finding = false, .behind_probe = true};
    out.push(action_set_deadline{give_up()});
  }

  void on(probing& state, event_wait_refused&) {
    if (state.now == probing::step::joining) stay_unknown();
  }

  void on(probing& state, event_probe_ended& event) {
    onceward_assert(state.now == probing::step::asking);
    if (const auto* found = std::get_if<probe_found>(&event.result)) {
      state.now = probing::step::completing;
      out.push(action_submit{complete{self.identity_.key, state.owner,
                                      outcome_completed{found->response, found->tombstone, self.rules_.retention,
                                                        self.rules_.retention_tombstone}}});
      return;
    }
    switch (std::get<probe_verdict>(event.result)) {
      case probe_verdict::not_found:
        state.now = probing::step::releasing;
        out.push(action_submit{release{self.identity_.key, state.owner}});
        return;
      case probe_verdict::still_running:
        if (!self.client_present_) return finish();
        if (now + state.backoff >= give_up()) return stay_unknown();
        state.now = probing::step::pausing;
        out.push(action_set_deadline{now + state.backoff});
        state.backoff = std::min(state.backoff * 2, self.rules_.probe.backoff_max);
        return;
      case probe_verdict::no_verdict:
        return stay_unknown();
    }
  }

  void on(probing& state, event_deadline&) {
    if (state.now != probing::step::pausing) return;
    state.now = probing::step::asking;
    out.push(action_probe{});
  }

  void on(probing& state, event_store_replied& event) {
    if (std::holds_alternative<store_failure>(event.value)) {
      return refuse(problem_type::store_unavailable, operation_state::unknown);
    }
    // Whatever another prober or an operator did meanwhile stands; what the store has is what everybody gets.
    if (state.now == probing::step::completing && std::holds_alternative<applied>(event.value)) {
      state.now = probing::step::reading;
      out.push(action_submit{onceward::find{self.identity_.key}});
      return;
    }
    if (const auto* done = std::get_if<record_completed>(&event.value);
        done != nullptr && same_request(done->summary.fingerprint)) {
      return answer_completed(done->response, done->tombstone);
    }
    if (!self.client_present_) return finish();
    if (const auto* still = std::get_if<record_unknown>(&event.value);
        still != nullptr && same_request(still->summary.fingerprint) && state.now == probing::step::looking) {
      return ask(still->summary);
    }
    submit_claim(std::nullopt, now + claim_patience);
  }

  void on(probing&, event_draining&) {
    end_probe(attempt_end::unknown);
    refuse(problem_type::draining, operation_state::unknown);
  }

  // A question that is under way is let end, because others wait for its answer; the next is for one of them to ask.
  void on(probing& state, event_client_gone&) {
    self.client_present_ = false;
    if (state.now == probing::step::pausing) finish();
  }

  // ---- The attempt -------------------------------------------------------------------------------------------------

  void on(forwarding& state, event_deadline&) {
    if (!state.renewable) return;
    if (!state.renewing) {
      state.renewing = true;
      state.renewal_submitted = now;
      out.push(action_renew{renew{self.identity_.key, self.identity_.attempt, self.rules_.lease}});
    }
    out.push(action_set_deadline{now + self.rules_.lease / 3});
  }

  void on(forwarding& state, event_renewal_replied& event) {
    state.renewing = false;
    if (std::holds_alternative<applied>(event.value)) {
      state.lease_end = state.renewal_submitted + self.rules_.lease;
      return;
    }
    out.push(action_note{noted::renewal_failed});
    // The attempt goes on: its outcome is still accepted while nobody else has taken the record over.
    if (!std::holds_alternative<store_failure>(event.value)) state.renewable = false;
  }

  void on(forwarding& state, event_upstream_ended& event) {
    const moment lease_end = state.lease_end;
    const bool takeover = state.takeover;
    if (auto* answered = std::get_if<upstream_answer>(&event.result)) {
      return record_answer(*answered, lease_end, takeover);
    }
    if (std::holds_alternative<definite_failure>(event.result)) {
      const problem_type type = takeover ? problem_type::outcome_unknown : problem_type::upstream_unreachable;
      const operation_state left = takeover ? operation_state::unknown : operation_state::absent;
      return submit_outcome(give_back(takeover), respond_problem{make_problem(type, self.rules_, left)},
                            end_of(takeover ? attempt_end::unknown : attempt_end::unreachable), lease_end);
    }
    const auto type = std::get<indefinite_failure>(event.result) == indefinite_failure::timed_out
                          ? problem_type::upstream_timeout
                          : problem_type::upstream_failed;
    submit_outcome(unknown_command(), respond_problem{make_problem(type, self.rules_, operation_state::unknown)},
                   end_of(attempt_end::unknown), lease_end);
  }

  command unknown_command() const {
    return complete{self.identity_.key, self.identity_.attempt,
                    outcome_unknown{std::max(self.rules_.retention, self.rules_.retention_tombstone)}};
  }

  // That the second of two attempts did nothing says nothing of the first, unless the upstream itself says it of both.
  outcome_class class_of(const upstream_answer& answered, bool takeover) const {
    const outcome_class found = classify(self.rules_.outcomes, answered.status, answered.stated);
    const bool says_little = takeover && !answered.stated && found == outcome_class::released;
    return says_little ? outcome_class::unknown : found;
  }

  void record_answer(upstream_answer& answered, moment lease_end, bool takeover) {
    onceward_assert(answered.tombstone != nullptr);
    switch (class_of(answered, takeover)) {
      case outcome_class::completed: {
        const milliseconds retention = answered.retention.value_or(self.rules_.retention);
        return submit_outcome(
            complete{
                self.identity_.key, self.identity_.attempt,
                outcome_completed{answered.response, answered.tombstone, retention, self.rules_.retention_tombstone}},
            respond_live{false}, end_of(attempt_end::completed, answered.response, answered.tombstone), lease_end);
      }
      case outcome_class::released:
        return submit_outcome(release{self.identity_.key, self.identity_.attempt}, respond_live{false},
                              end_of(attempt_end::released, answered.response), lease_end);
      case outcome_class::unknown:
        return submit_outcome(unknown_command(), respond_live{false}, end_of(attempt_end::unknown), lease_end);
    }
  }

  // ---- The outcome into the store ----------------------------------------------------------------------------------

  void submit_outcome(command outcome, response_source source, ended_attempt end, moment lease_end) {
    out.push(action_submit{outcome});
    self.state_ = recording{.outcome = std::move(outcome),
                            .answer = std::move(source),
                            .end = std::move(end),
                            .lease_end = lease_end,
                            .backoff = resubmit_backoff,
                            .submitted = true};
  }

  void on(recording& state, event_store_replied& event) {
    state.submitted = false;
    if (std::holds_alternative<applied>(event.value)) {
      answer(std::move(state.answer));
      out.push(action_wake_waiters{std::move(state.end)});
      return finish();
    }
    if (const auto* done = std::get_if<record_completed>(&event.value)) {
      // A probe or an operator was faster. What stands in the record is what every retry gets, so this client gets it
      // too.
      out.push(action_wake_waiters{end_of(attempt_end::completed, done->response, done->tombstone)});
      return answer_completed(done->response, done->tombstone);
    }
    if (std::holds_alternative<fenced>(event.value)) {
      out.push(action_note{noted::outcome_fenced});
      return answer_unrecorded(state);
    }
    if (now >= state.lease_end) {
      out.push(action_note{noted::outcome_lost});
      out.push(action_wake_waiters{end_of(attempt_end::unknown)});
      return answer_unrecorded(state);
    }
    out.push(action_note{noted::outcome_resubmitted});
    out.push(action_set_deadline{std::min(now + state.backoff, state.lease_end)});
    state.backoff = std::min(state.backoff * 2, resubmit_backoff_max);
  }

  // A refusal of ours is as true as before, but that the key is not free; an upstream's answer may be one that no retry
  // gets, and is passed on only where the route prefers that.
  void answer_unrecorded(recording& state) {
    if (auto* ours = std::get_if<respond_problem>(&state.answer)) {
      ours->what.state = operation_state::unknown;
      ours->what.new_key_safe = std::holds_alternative<release>(state.outcome);
      return refuse(std::move(ours->what));
    }
    if (!self.rules_.prefer_live_response) return refuse(problem_type::not_recorded, operation_state::unknown);
    answer(respond_live{true});
    finish();
  }

  void on(recording& state, event_deadline&) {
    if (state.submitted) return;
    state.submitted = true;
    out.push(action_submit{state.outcome});
  }

  // ---- The rest of the table ---------------------------------------------------------------------------------------

  // The attempt runs to its end and is recorded, whoever is still there to hear of it.
  template <typename State>
  void on(State&, event_client_gone&) {
    self.client_present_ = false;
  }

  // Whoever does not merely wait is let finish.
  template <typename State>
  void on(State&, event_draining&) {}

  // Too late to matter: the deadline, the renewal or the wake-up was meant for a state that has passed.
  template <typename State>
  void on(State&, event_deadline&) {}
  template <typename State>
  void on(State&, event_renewal_replied&) {}
  template <typename State>
  void on(State&, event_attempt_ended&) {}
  template <typename State>
  void on(State&, event_wait_refused&) {}
  template <typename State>
  void on(State&, event_probe_joined&) {
    onceward_assert(false && "a probe was joined that was not asked for");
  }
  template <typename State>
  void on(State&, event_probe_ended&) {
    onceward_assert(false && "a probe ended that was not asked for");
  }
  template <typename State>
  void on(State&, event_started&) {
    onceward_assert(false && "an exchange is started once");
  }
  template <typename State>
  void on(State&, event_store_replied&) {
    onceward_assert(false && "a reply came to a command that was not submitted");
  }
  template <typename State>
  void on(State&, event_upstream_ended&) {
    onceward_assert(false && "an attempt ended that was not forwarded");
  }
};

action_list exchange::on(exchange_event&& what, moment now) {
  onceward_assert(!finished());
  action_list out;
  exchange_step step{*this, now, out};
  std::visit([&](auto& at, auto& event) { step.on(at, event); }, state_, what);
  return out;
}

}  // namespace onceward::core
