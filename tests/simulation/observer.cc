#include "tests/simulation/observer.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/record_codec.h"
#include "tests/simulation/message.h"

namespace onceward::simulation {
namespace {

std::string attempt_text(std::uint64_t number) {
  return "attempt " + std::to_string(number);
}

const record_key* key_of(const command& what) {
  return std::visit(
      [](const auto& each) -> const record_key* {
        using asked = std::decay_t<decltype(each)>;
        if constexpr (std::is_same_v<asked, list_unknown> || std::is_same_v<asked, purge>) {
          return nullptr;
        } else {
          return &each.key;
        }
      },
      what);
}

std::string_view word_of(const command& what) {
  constexpr std::string_view words[] = {"claim", "renew", "complete", "release", "find", "list", "purge"};
  if (const auto* ended = std::get_if<complete>(&what);
      ended != nullptr && std::holds_alternative<outcome_unknown>(ended->outcome)) {
    return "complete as unknown";
  }
  return words[what.index()];
}

std::string_view word_of(const reply& what) {
  constexpr std::string_view words[] = {"granted", "in flight", "completed", "unknown", "released", "absent",
                                        "applied", "fenced",    "list",      "purged",  "failure"};
  return words[what.index()];
}

}  // namespace

std::uint64_t answer_in(const shared_bytes& response, const shared_bytes& tombstone) {
  if (response != nullptr) {
    const auto read = core::read_response(*response);
    if (read) return number_after(read->body, "answer=").value_or(0);
  }
  if (tombstone == nullptr) return 0;
  const auto read = core::read_tombstone(*tombstone);
  return read ? number_after(read->location, "answer=").value_or(0) : 0;
}

observer::observer(const schedule& time, const core::policy& rules, const operations& all, bool deduplicates,
                   timeline& tells, sometimes_counts& counts)
    : time_(time),
      rules_(rules),
      all_(all),
      deduplicates_(deduplicates),
      tells_(tells),
      counts_(counts),
      histories_(all.count()) {}

void observer::report(std::string invariant, std::string why) {
  tells_.say(time_.now(), "BROKEN ", invariant, ": ", why);
  if (!found_) found_ = violation{std::move(invariant), std::move(why)};
}

// ---- The store -----------------------------------------------------------------------------------------------------

void observer::store_asked(unsigned owner, const command& what) {
  const record_key* const key = key_of(what);
  const auto which = key == nullptr ? std::nullopt : all_.with_record(*key);
  if (!which) return;
  tells_.say(time_.now(), "gateway ", owner, " asks the store: ", word_of(what), " ", name(*which));
  history& of = histories_[*which];
  if (const auto* asked = std::get_if<claim>(&what)) of.open.push_back({change::claim, asked->attempt, 0});
  if (const auto* asked = std::get_if<release>(&what)) of.open.push_back({change::release, asked->attempt, 0});
  if (const auto* asked = std::get_if<complete>(&what)) {
    const auto* done = std::get_if<outcome_completed>(&asked->outcome);
    if (done == nullptr) {
      of.open.push_back({change::unknown, asked->attempt, 0});
    } else {
      of.open.push_back({change::result, asked->attempt, answer_in(done->response, done->tombstone)});
    }
  }
}

void observer::store_answered(unsigned owner, const command& what, const reply& value, wall_time asked_at,
                              wall_time now) {
  wall_highest_ = std::max(wall_highest_, now);
  const record_key* const key = key_of(what);
  const auto which = key == nullptr ? std::nullopt : all_.with_record(*key);
  if (!which) return;
  tells_.say(time_.now(), "the store answers: ", word_of(what), " ", name(*which), ": ", word_of(value));
  history& of = histories_[*which];
  const auto* failure = std::get_if<store_failure>(&value);
  if (failure != nullptr && failure->effect == certainty::indefinite) return;
  const auto close = [&](const attempt_id& attempt, change kind) {
    const auto one = std::find_if(of.open.begin(), of.open.end(),
                                  [&](const open_change& each) { return each.owner == attempt && each.what == kind; });
    if (one != of.open.end()) of.open.erase(one);
  };
  const bool is_applied = std::holds_alternative<applied>(value);
  if (const auto* asked = std::get_if<claim>(&what)) {
    close(asked->attempt, change::claim);
    if (failure == nullptr) after_claim(owner, *asked, value, asked_at);
  } else if (const auto* renewal = std::get_if<renew>(&what)) {
    if (is_applied) after_renew(*renewal, asked_at);
  } else if (const auto* ended = std::get_if<complete>(&what)) {
    close(ended->attempt, std::holds_alternative<outcome_unknown>(ended->outcome) ? change::unknown : change::result);
    if (is_applied) after_complete(*ended, asked_at);
    if (std::holds_alternative<fenced>(value)) saw(sometimes::outcome_fenced);
  } else if (const auto* given = std::get_if<release>(&what)) {
    close(given->attempt, change::release);
    if (is_applied) after_release(*given, asked_at);
  }
  if (failure == nullptr) sees(*which, value);
}

void observer::after_claim(unsigned owner, const claim& asked, const reply& value, wall_time asked_at) {
  const auto* granted = std::get_if<claim_granted>(&value);
  if (granted == nullptr) return;
  const history& of = histories_[*all_.with_record(asked.key)];
  const bool again = of.token == static_cast<std::uint64_t>(granted->token) && of.owner == asked.attempt;
  if (again) return saw(sometimes::claim_resubmitted);
  after_grant(owner, asked, *granted, asked_at);
}

void observer::after_grant(unsigned owner, const claim& asked, const claim_granted& granted, wall_time asked_at) {
  const operation_number which = *all_.with_record(asked.key);
  history& of = histories_[which];
  const auto token = static_cast<std::uint64_t>(granted.token);
  const bool takeover = asked.over_unknown == of.owner && rules_.on_unknown == core::unknown_policy::redispatch;
  const bool released = may_have(of, change::release, of.owner);
  if (!of.lost && token <= of.highest_token)
    report("fence-rises", name(which) + ": granted with fence " + std::to_string(token));
  if (!of.lost) {
    switch (of.now) {
      case state::absent:
      case state::released:
        break;
      case state::completed:
        if (!has_expired(of)) report("same-replay", name(which) + ": granted over a result that is to be kept");
        break;
      case state::in_flight:
        if (!lease_is_over(of) && !released) {
          report("one-holder", name(which) + ": granted while another attempt holds the lease");
          break;
        }
        [[fallthrough]];
      case state::unknown:
        if (!takeover && !released && !has_expired(of))
          report("unknown-stays-unknown", name(which) +
                                              ": granted although nobody knows what became of the attempt "
                                              "before");
        break;
    }
  }
  const bool is_new = of.now == state::absent || (has_expired(of) && of.now != state::released);
  if (is_new) begin_life(which);
  if (takeover && !is_new) saw(sometimes::takeover);
  of.now = state::in_flight;
  of.owner = asked.attempt;
  of.token = token;
  of.highest_token = std::max(of.highest_token, token);
  of.lease_end = asked_at + asked.lease;
  of.keep_until = of.lease_end + asked.retention;
  of.answer = 0;
  grants_.push_back({which, token, asked.attempt, owner, time_.now()});
}

void observer::begin_life(operation_number which) {
  history& of = histories_[which];
  for (attempt_at_upstream& each : attempts_) {
    if (each.operation != which || each.past) continue;
    each.past = true;
    if (each.what == effect::done) saw(sometimes::record_expired_and_ran_again);
  }
  of.told_digest.reset();
  of.told_answer = 0;
  of.lost = false;
}

void observer::after_renew(const renew& asked, wall_time asked_at) {
  history& of = histories_[*all_.with_record(asked.key)];
  if (of.owner != asked.attempt) return;
  saw(sometimes::lease_renewed);
  of.lease_end = std::max(of.lease_end, asked_at + asked.lease);
  of.keep_until = std::max(of.keep_until, of.lease_end + rules_.retention);
}

void observer::after_complete(const complete& asked, wall_time asked_at) {
  const operation_number which = *all_.with_record(asked.key);
  history& of = histories_[which];
  if (of.owner != asked.attempt && !of.lost)
    report("fenced-write", name(which) + ": an outcome was taken from an attempt that does not own the record");
  for (grant_seen& each : grants_) {
    if (each.attempt == asked.attempt) each.closed = true;
  }
  const auto* done = std::get_if<outcome_completed>(&asked.outcome);
  if (done == nullptr) {
    if (of.now == state::completed && !of.lost && !has_expired(of))
      report("same-replay", name(which) + ": a result became unknown");
    // Where the lease has run out, the record is unknown since then, and its retention counts from there.
    if (of.now != state::unknown && !lease_is_over(of))
      of.keep_until = asked_at + std::get<outcome_unknown>(asked.outcome).retention;
    of.now = state::unknown;
    return;
  }
  const std::uint64_t answer = answer_in(done->response, done->tombstone);
  if (of.now == state::completed && of.answer == answer) return saw(sometimes::outcome_resubmitted);
  if (of.now == state::completed && !of.lost)
    report("same-replay", name(which) + ": a second result took the first's place");
  if (of.now == state::released && !of.lost) report("fenced-write", name(which) + ": a result after the key was freed");
  if (of.now == state::unknown || (of.now == state::in_flight && lease_is_over(of)))
    saw(sometimes::late_result_accepted);
  const auto kept = core::read_tombstone(*done->tombstone);
  check_result(which, answer, kept ? kept->status : 0);
  of.now = state::completed;
  of.answer = answer;
  of.recorded_at = time_.now();
  of.keep_until = asked_at + std::max(done->retention, done->retention_tombstone);
}

// What is recorded is true.
void observer::check_result(operation_number which, std::uint64_t answer, int status) {
  if (answer == 0 || answer > attempts_.size())
    return report("same-replay", name(which) + ": recorded an answer that nobody gave");
  const attempt_at_upstream& by = attempts_[answer - 1];
  if (by.operation != which)
    report("scopes-never-meet", name(which) + ": recorded the answer to " + name(by.operation));
  if (!by.is_result(status))
    report("unknown-stays-unknown", name(which) + ": recorded as a result what is none, of " + attempt_text(answer));
  if (sent_[by.number - 1].left) saw(sometimes::client_left_and_result_recorded);
}

void observer::after_release(const release& asked, wall_time asked_at) {
  const operation_number which = *all_.with_record(asked.key);
  history& of = histories_[which];
  for (grant_seen& each : grants_) {
    if (each.attempt == asked.attempt) each.closed = true;
  }
  if (of.lost) return;
  if (of.owner != asked.attempt)
    report("fenced-write", name(which) + ": freed by an attempt that does not own the record");
  if (of.now == state::completed && !has_expired(of))
    report("same-replay", name(which) + ": freed, and it had a result");
  for (std::size_t i = 0; i < attempts_.size(); ++i) {
    const attempt_at_upstream& each = attempts_[i];
    if (each.operation != which || each.past || each.what == effect::none) continue;
    report("unknown-stays-unknown", name(which) + ": freed, although " + attempt_text(i + 1) +
                                        (each.what == effect::done ? " took effect" : " may take effect"));
  }
  of.now = state::released;
  of.keep_until = asked_at + rules_.retention;
}

// Whatever a reply tells of a record agrees with what was told before.
void observer::sees(operation_number which, const reply& value) {
  history& of = histories_[which];
  if (of.lost) return;
  const bool kept = of.now == state::completed && !has_expired(of);
  const auto forgotten = [&] { report("same-replay", name(which) + ": its result is gone before its time"); };
  if (const auto* done = std::get_if<record_completed>(&value)) {
    const std::uint64_t answer = answer_in(done->response, done->tombstone);
    if (kept && of.answer != answer) report("same-replay", name(which) + ": another result than the one that stands");
    if (of.now != state::completed)
      report("record-before-response", name(which) + ": told of a result that is not acknowledged");
    return;
  }
  const bool tells_less =
      std::holds_alternative<record_unknown>(value) || std::holds_alternative<record_released>(value) ||
      std::holds_alternative<record_in_flight>(value) || std::holds_alternative<record_absent>(value);
  if (tells_less && kept) return forgotten();
  if (std::holds_alternative<record_absent>(value) && !has_expired(of) &&
      (of.now == state::in_flight || of.now == state::unknown) && !may_have(of, change::release, of.owner)) {
    report("bounded", name(which) + ": a record is gone before its time");
  }
}

bool observer::may_have(const history& of, change what, const attempt_id& owner) const {
  return std::any_of(of.open.begin(), of.open.end(),
                     [&](const open_change& each) { return each.what == what && each.owner == owner; });
}

// A journal that was opened again has what it acknowledged, or what it was asked since.
void observer::store_reopened(operation_number which, const reply& found, wall_time now) {
  wall_highest_ = std::max(wall_highest_, now);
  history& of = histories_[which];
  tells_.say(time_.now(), "the journal has of ", name(which), ": ", word_of(found));
  const auto may = [&](change what) {
    return std::any_of(of.open.begin(), of.open.end(), [&](const open_change& each) { return each.what == what; });
  };
  const bool expired = of.now == state::absent || has_expired(of);
  if (const auto* done = std::get_if<record_completed>(&found)) {
    const std::uint64_t answer = answer_in(done->response, done->tombstone);
    const bool asked = std::any_of(of.open.begin(), of.open.end(), [&](const open_change& each) {
      return each.what == change::result && each.answer == answer;
    });
    if (of.now == state::completed ? of.answer != answer : !asked)
      report("same-replay", name(which) + ": a result after opening that was not recorded");
    of.now = state::completed;
    of.answer = answer;
    of.keep_until = done->summary.expires_at;
  } else if (const auto* open = std::get_if<record_unknown>(&found)) {
    const bool fits = of.now == state::unknown || of.now == state::in_flight || may(change::claim) || expired;
    if (!fits && !may(change::unknown)) report("record-before-response", name(which) + ": unknown after opening");
    if (static_cast<std::uint64_t>(open->summary.token) < of.highest_token)
      report("claim-before-forward", name(which) + ": a grant is gone after opening");
    if (of.now == state::completed && !expired)
      report("same-replay", name(which) + ": its result is gone after opening");
    if (expired) begin_life(which);
    of.now = state::unknown;
    of.owner = open->summary.attempt;
    of.token = static_cast<std::uint64_t>(open->summary.token);
    of.keep_until = open->summary.expires_at;
  } else if (const auto* freed = std::get_if<record_released>(&found)) {
    if (of.now != state::released && !may(change::release))
      report("claim-before-forward", name(which) + ": free after opening, and nobody had freed it");
    of.now = state::released;
    of.owner = freed->summary.attempt;
    of.keep_until = freed->summary.expires_at;
  } else if (std::holds_alternative<record_absent>(found)) {
    if (!expired && of.now != state::released)
      report(of.now == state::completed ? "record-before-response" : "claim-before-forward",
             name(which) + ": a record is gone after opening");
    of.now = state::absent;
    begin_life(which);
  } else {
    report("one-holder", name(which) + ": neither over nor unknown after opening");
  }
  of.open.clear();
}

void observer::store_lost(operation_number which) {
  tells_.say(time_.now(), "the failover forgets the last of ", name(which));
  history& of = histories_[which];
  if (of.now == state::in_flight) saw(sometimes::failover_lost_a_claim);
  if (of.now == state::completed) saw(sometimes::failover_lost_a_result);
  of.lost = true;
}

void observer::process_ended(unsigned owner) {
  for (grant_seen& each : grants_) {
    if (each.owner == owner) each.closed = true;
  }
}

// ---- The upstream --------------------------------------------------------------------------------------------------

std::uint64_t observer::effect_of(operation_number which, std::uint64_t but_for) const {
  for (std::size_t i = 0; i < attempts_.size(); ++i) {
    const attempt_at_upstream& each = attempts_[i];
    if (i + 1 != but_for && each.operation == which && !each.past && each.what == effect::done) return i + 1;
  }
  return 0;
}

std::uint64_t observer::upstream_got(operation_number which, unsigned body, std::uint64_t token, std::uint64_t number) {
  attempts_.push_back({.operation = which, .body = body, .token = token, .number = number});
  const std::uint64_t attempt = attempts_.size();
  tells_.say(time_.now(), "the upstream gets ", name(which), " of try ", number, " with fence ", token, " as attempt ",
             attempt);
  const auto granted = std::find_if(grants_.begin(), grants_.end(), [&](const grant_seen& each) {
    return each.operation == which && each.token == token;
  });
  if (granted == grants_.end()) {
    report("claim-before-forward", name(which) + ": forwarded without a grant");
    return attempt;
  }
  if (std::exchange(granted->forwarded, true))
    report("claim-before-forward", name(which) + ": one grant was forwarded twice");
  const std::uint64_t other = effect_of(which, attempt);
  if (other != 0 && !deduplicates_ && !histories_[which].lost)
    report("unknown-stays-unknown", name(which) + ": forwarded, although " + attempt_text(other) + " took effect");
  return attempt;
}

void observer::upstream_did(std::uint64_t attempt) {
  attempt_at_upstream& by = attempts_[attempt - 1];
  tells_.say(time_.now(), "attempt ", attempt, " takes effect");
  const std::uint64_t other = by.past ? 0 : effect_of(by.operation, attempt);
  by.what = effect::done;
  const history& of = histories_[by.operation];
  if (of.token == by.token && of.now == state::in_flight && lease_is_over(of))
    saw(sometimes::lease_ran_out_while_upstream_worked);
  if (other != 0 && !of.lost)
    report("unknown-stays-unknown", name(by.operation) + ": a second effect, beside that of " + attempt_text(other));
}

void observer::upstream_will_not(std::uint64_t attempt) {
  if (attempts_[attempt - 1].what == effect::possible) attempts_[attempt - 1].what = effect::none;
}

std::optional<std::uint64_t> observer::truth_at_upstream(operation_number which) const {
  if (const std::uint64_t done = effect_of(which); done != 0) return done;
  for (const attempt_at_upstream& each : attempts_) {
    if (each.operation == which && !each.past && each.what == effect::possible) return std::nullopt;
  }
  return 0;
}

std::optional<std::uint64_t> observer::truth(operation_number which) const {
  const auto known = truth_at_upstream(which);
  if (known != 0) return known;
  for (const grant_seen& each : grants_) {
    if (each.operation == which && !each.forwarded && !each.closed) return std::nullopt;
  }
  return 0;
}

// ---- The clients ---------------------------------------------------------------------------------------------------

void observer::client_sent(std::uint64_t number, operation_number which, unsigned body) {
  tells_.say(time_.now(), "try ", number, ": ", name(which), ", body ", body);
  sent_.resize(std::max<std::size_t>(sent_.size(), number));
  sent_[number - 1] = {which, body, time_.now()};
  histories_[which].bodies_sent |= 1u << body;
}

void observer::client_told(std::uint64_t number, const told& what) {
  const sent by = sent_[number - 1];
  tells_.say(time_.now(), "try ", number, " is told: ", what.status, " ", what.problem,
             what.replayed ? " replayed" : "", what.new_key_safe ? " a new key is safe" : "", " answer ",
             what.answer.value_or(0), " digest ", what.digest);
  if (what.problem.empty()) return told_answer(number, what);
  if (what.problem == "mismatch") {
    saw(sometimes::mismatch_refused);
    if (histories_[by.operation].bodies_sent == 1u << by.body)
      report("scopes-never-meet", name(by.operation) + ": told of a mismatch, and nobody else uses the key");
    return;
  }
  if (what.new_key_safe) {
    saw(sometimes::told_new_key_safe);
    safe_claims_.push_back({number, by.when});
  }
  if (what.problem == "outcome-unknown") saw(sometimes::told_unknown);
  if (what.problem == "in-flight") saw(sometimes::told_in_flight);
  if (what.problem == "not-recorded") saw(sometimes::told_not_recorded);
  if (what.problem == "result-gone") saw(sometimes::told_gone);
  if (what.problem == "upstream-unreachable") saw(sometimes::released_for_no_upstream);
  if (what.problem == "draining") saw(sometimes::waiter_drained);
}

void observer::told_answer(std::uint64_t number, const told& what) {
  const sent by = sent_[number - 1];
  if (!what.answer || *what.answer == 0 || *what.answer > attempts_.size())
    return report("record-before-response", name(by.operation) + ": told an answer that nobody gave");
  const attempt_at_upstream& from = attempts_[*what.answer - 1];
  if (from.operation != by.operation)
    return report("scopes-never-meet", name(by.operation) + ": told the answer to " + name(from.operation));
  if (from.body != by.body)
    return report("mismatch-reads-only", name(by.operation) + ": told the answer to another request");
  if (!from.is_result(what.status)) {
    if (what.replayed) report("unknown-stays-unknown", name(by.operation) + ": a replay of what is no result");
    if (from.number != number) saw(sometimes::waiter_got_the_refusal);
    return;
  }
  history& of = histories_[by.operation];
  if (what.replayed) saw(by.when < of.recorded_at ? sometimes::waiter_got_replay : sometimes::replayed);
  if (from.past || of.lost) return;
  if (of.now != state::completed || of.answer != *what.answer)
    report("record-before-response",
           name(by.operation) + ": told " + attempt_text(*what.answer) + "'s answer, and it is not recorded");
  if (of.told_digest && of.told_answer == *what.answer && *of.told_digest != what.digest)
    report("same-replay", name(by.operation) + ": two clients got different bytes");
  of.told_digest = what.digest;
  of.told_answer = *what.answer;
}

// ---- The end -------------------------------------------------------------------------------------------------------

void observer::store_at_end(operation_number which, const reply& found, wall_time now) {
  wall_highest_ = std::max(wall_highest_, now);
  tells_.say(time_.now(), "in the end the store has of ", name(which), ": ", word_of(found));
  if (std::holds_alternative<record_in_flight>(found)) report("no-wedge", name(which) + ": in flight in the end");
  if (std::holds_alternative<store_failure>(found)) report("no-wedge", name(which) + ": the store does not answer");
  sees(which, found);
}

void observer::finish() {
  for (const safe_claim& each : safe_claims_) {
    const sent& by = sent_[each.number - 1];
    if (histories_[by.operation].lost) continue;
    for (std::size_t i = 0; i < attempts_.size(); ++i) {
      const attempt_at_upstream& attempt = attempts_[i];
      if (attempt.operation != by.operation || attempt.body != by.body || attempt.what != effect::done) continue;
      const auto granted = std::find_if(grants_.begin(), grants_.end(), [&](const grant_seen& grant) {
        return grant.operation == attempt.operation && grant.token == attempt.token;
      });
      const bool earlier = granted != grants_.end() && granted->when < each.sent_at && !attempt.past;
      if (earlier || attempt.number == each.number)
        report("honest-refusal", name(by.operation) + ": try " + std::to_string(each.number) +
                                     " was told that a new key is safe, and " + attempt_text(i + 1) + " took effect");
    }
  }
}

}  // namespace onceward::simulation
