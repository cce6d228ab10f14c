#include "tests/model/invariants.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace onceward::model {
namespace {

int ticks_of(std::chrono::milliseconds span) {
  return static_cast<int>(span / tick);
}

std::string fence_text(unsigned fence) {
  return "attempt " + std::to_string(fence);
}

}  // namespace

void invariants::report(const char* invariant, std::string why) {
  if (!found_) found_ = finding{invariant, std::move(why)};
}

unsigned invariants::effect_beside(const state& in, const vocabulary& words, unsigned fence) {
  if (fence == 0 || fence > in.grant_count) return 0;
  const grant_history& own = in.grants[fence - 1];
  if (own.past) return own.at_upstream == effect::done ? fence : 0;
  for (unsigned f = 1; f <= in.grant_count; ++f) {
    const grant_history& each = in.grants[f - 1];
    const bool same_key = words.kind(each.kind).key == words.kind(own.kind).key;
    if (same_key && !each.past && each.at_upstream == effect::done) return f;
  }
  return 0;
}

// ---- Retention -----------------------------------------------------------------------------------------------------

void invariants::keep(state& in, unsigned key) const {
  const int retention = ticks_of(std::max(about_.rules.retention, about_.rules.retention_tombstone));
  in.keys[key].keep_until = static_cast<std::int16_t>(in.store_now() + retention);
}

void invariants::after_time(state& in) {
  for (unsigned kind = 0; kind < about_.kinds.size(); ++kind) {
    const unsigned key = words_.kind(kind).key;
    key_history& history = in.keys[key];
    if (!history.kept) continue;
    const reply_facts& now = words_.facts_of_reply(records_.look(in.table, kind, in.store_now()));
    if (now.type != reply_type<record_absent>) continue;
    if (in.store_now() < history.keep_until) report("bounded", "a record was forgotten before its retention had ended");
    history = {.recorded = 0, .recorded_before = history.recorded, .keep_until = 0, .kept = false, .unused = 0};
    for (unsigned f = 1; f <= in.grant_count; ++f) {
      if (words_.kind(in.grants[f - 1].kind).key == key) in.grants[f - 1].past = true;
    }
  }
}

// ---- The store -----------------------------------------------------------------------------------------------------

void invariants::after_command(state& in, std::uint32_t table_before, std::uint32_t command, std::uint32_t answer) {
  const command_facts& asked = words_.facts_of_command(command);
  unsigned kind = 0;
  while (words_.kind(kind).key != asked.key)
    ++kind;
  const std::uint32_t before = records_.look(table_before, kind, in.store_now());
  const std::uint32_t after = records_.look(in.table, kind, in.store_now());
  switch (asked.type) {
    case command_type<claim>:
      return after_claim(in, asked, before, after, answer);
    case command_type<renew>:
    case command_type<complete>:
    case command_type<release>:
      return after_write(in, asked, before, after, answer);
    default:
      if (before != after) report("fenced-write", "reading changed the record");
  }
}

void invariants::after_claim(state& in, const command_facts& asked, std::uint32_t before, std::uint32_t after,
                             std::uint32_t answer) {
  const reply_facts& told = words_.facts_of_reply(answer);
  const reply_facts& was = words_.facts_of_reply(before);
  const reply_facts& is = words_.facts_of_reply(after);
  if (told.type == reply_type<claim_granted> && told.token > in.grant_count)
    return after_grant(in, asked, was, is, told);
  if (before != after) {
    report(words_.alike(was.kind, asked.kind) ? "fenced-write" : "mismatch-reads-only",
           "a claim that was not granted changed it");
  }
  if (told.type == reply_type<claim_granted>) {
    const bool own = told.token != 0 && in.grants[told.token - 1].owner == asked.owner &&
                     is.type == reply_type<record_in_flight> && is.owner == asked.owner;
    if (!own) report("fence-rises", "fence " + std::to_string(told.token) + " was granted again");
    return;
  }
  if (told.type == reply_type<store_failure> || told.type == reply_type<fenced>) return;
  if (answer != before) report("same-replay", "a claim was told of another record than the one that is kept");
}

void invariants::after_grant(state& in, const command_facts& asked, const reply_facts& before, const reply_facts& after,
                             const reply_facts& answer) {
  const bool absent = before.type == reply_type<record_absent>;
  if (before.type == reply_type<record_in_flight>)
    report("one-holder", "granted to " + to_string(asked.owner) + " while " + to_string(before.owner) + " holds it");
  if (before.type == reply_type<record_completed>) report("same-replay", "granted over a completed record");
  if (before.type == reply_type<record_unknown>) {
    const bool takeover = about_.rules.on_unknown == core::unknown_policy::redispatch &&
                          asked.over_unknown == before.owner && asked.over_unknown != asked.owner;
    if (!takeover) report("unknown-stays-unknown", "granted over an unknown record");
  }
  if (!absent && before.owner == asked.owner)
    report("one-holder", "granted again to " + to_string(asked.owner) + ", which is over");
  if (answer.token != in.grant_count + 1u || (!absent && answer.token <= before.token))
    report("fence-rises", "granted with fence " + std::to_string(answer.token));
  if (answer.attempt_number != (absent ? 1 : before.attempt_number + 1))
    report("fence-rises", "granted as attempt number " + std::to_string(answer.attempt_number));
  const bool kept = after.type == reply_type<record_in_flight> && after.owner == asked.owner &&
                    after.token == answer.token && words_.alike(after.kind, asked.kind);
  if (!kept) report("claim-before-forward", "the store granted a claim and did not keep it");

  onceward_assert(in.grant_count < grants_max);
  in.grants[in.grant_count++] = {.owner = asked.owner,
                                 .kind = static_cast<std::uint8_t>(asked.kind),
                                 .at_upstream = effect::none,
                                 .forwarded = false,
                                 .past = false};
  key_history& history = in.keys[asked.key];
  history.kept = true;
  keep(in, asked.key);
  history.keep_until = static_cast<std::int16_t>(history.keep_until + ticks_of(about_.rules.lease));
}

void invariants::after_write(state& in, const command_facts& asked, std::uint32_t before, std::uint32_t after,
                             std::uint32_t answer) {
  const reply_facts& was = words_.facts_of_reply(before);
  const reply_facts& told = words_.facts_of_reply(answer);
  const bool acknowledged = told.type == reply_type<applied>;
  const bool owns = was.type != reply_type<record_absent> && was.owner == asked.owner;
  if (!owns && (before != after || acknowledged)) {
    return report("fenced-write", to_string(asked.owner) + " wrote a record that is not its own");
  }
  if (!acknowledged && before != after) return report("fenced-write", "what was not acknowledged changed the record");
  if (!acknowledged) return;
  check_acknowledged(in, asked, words_.facts_of_reply(after));
  if (before == after) return;
  check_truth(in, asked, was);
  if (asked.type == command_type<renew>) {
    const int renewed = in.store_now() + ticks_of(about_.rules.lease + about_.rules.retention);
    key_history& history = in.keys[asked.key];
    history.keep_until = static_cast<std::int16_t>(std::max<int>(history.keep_until, renewed));
    return;
  }
  keep(in, asked.key);
}

// What is acknowledged is so.
void invariants::check_acknowledged(state& in, const command_facts& asked, const reply_facts& after) {
  if (asked.type == command_type<renew>) {
    if (after.type != reply_type<record_in_flight>) report("one-holder", "a renewal was acknowledged without a lease");
    return;
  }
  if (asked.type == command_type<release>) {
    if (after.type != reply_type<record_released>)
      report("no-wedge", "a release was acknowledged and the key is taken");
    return;
  }
  if (asked.answer == 0) {
    if (after.type != reply_type<record_unknown>)
      report("unknown-stays-unknown", "an unknown outcome was acknowledged and not kept as such");
    return;
  }
  const answer_tag response = ending_of(asked.answer) == ending::too_large ? answer_tag{0} : asked.answer;
  if (after.type != reply_type<record_completed> || after.tombstone != asked.answer || after.response != response)
    report("record-before-response", "a result was acknowledged that is not what is kept");
  answer_tag& recorded = in.keys[asked.key].recorded;
  if (recorded != 0 && recorded != asked.answer) report("same-replay", "a second result replaced the first");
  recorded = asked.answer;
}

// What is written is true.
void invariants::check_truth(const state& in, const command_facts& asked, const reply_facts& before) {
  if (asked.type == command_type<renew> || (asked.type == command_type<complete> && asked.answer == 0)) return;
  if (asked.type == command_type<release>) {
    if (before.type == reply_type<record_completed>) report("same-replay", "a completed record was released");
    for (unsigned f = 1; f <= in.grant_count; ++f) {
      const grant_history& grant = in.grants[f - 1];
      if (grant.past || words_.kind(grant.kind).key != asked.key || grant.at_upstream == effect::none) continue;
      report("unknown-stays-unknown",
             "released, although " + fence_text(f) +
                 (grant.at_upstream == effect::done ? " has taken effect" : " may take effect"));
    }
    return;
  }
  if (asked.answer == strange_tag) return report("same-replay", "recorded an answer that nobody gave");
  const ending how = ending_of(asked.answer);
  if (how == ending::refused || how == ending::gateway_timeout)
    report("unknown-stays-unknown", "recorded as a result what is none: " + words_.text_of_answer(asked.answer));
  const unsigned fence = fence_of(asked.answer);
  if (how != ending::rejected && in.grants[fence - 1].at_upstream != effect::done)
    report("unknown-stays-unknown", "recorded as done what did not take effect");
  if (words_.kind(kind_of(asked.answer)).key != asked.key || !words_.alike(kind_of(asked.answer), before.kind))
    report("mismatch-reads-only", "recorded the answer to another request: " + words_.text_of_answer(asked.answer));
}

// ---- The upstream --------------------------------------------------------------------------------------------------

void invariants::before_forward(const state& in, const exchange_slot& who, unsigned fence) {
  if (fence == 0 || fence > in.grant_count || in.grants[fence - 1].owner >> 8 != who.name)
    return report("claim-before-forward", "forwarded without a grant of its own");
  const grant_history& own = in.grants[fence - 1];
  if (own.forwarded) return report("claim-before-forward", "one grant was forwarded twice");
  const bool clock_is_sound = in.budget(bounded::clock_jumps) == about_.limit(bounded::clock_jumps);
  const reply_facts& record = words_.facts_of_reply(records_.look(in.table, own.kind, in.store_now()));
  if (clock_is_sound && (record.type != reply_type<record_in_flight> || record.owner != own.owner))
    report("one-holder", "forwarded without a live lease");
  if (about_.rules.on_unknown == core::unknown_policy::redispatch) return;
  for (unsigned f = 1; f <= in.grant_count; ++f) {
    const grant_history& other = in.grants[f - 1];
    if (f == fence || other.past || words_.kind(other.kind).key != words_.kind(own.kind).key) continue;
    if (other.at_upstream != effect::none)
      report("unknown-stays-unknown", "forwarded, although " + fence_text(f) + " has taken effect or may");
  }
}

void invariants::before_effect(const state& in, unsigned fence) {
  if (about_.rules.on_unknown == core::unknown_policy::redispatch || in.grants[fence - 1].past) return;
  if (const unsigned other = effect_beside(in, words_, fence); other != 0)
    report("unknown-stays-unknown", "a second effect, beside that of " + fence_text(other));
}

// ---- What clients are told -----------------------------------------------------------------------------------------

void invariants::before_respond(const state& in, const exchange_slot& who, const told& what) {
  switch (what.how) {
    case told_as::live:
      return check_live(in, who);
    case told_as::live_unrecorded:
      if (!about_.rules.prefer_live_response) report("record-before-response", "an answer went out unrecorded");
      return;
    case told_as::replay:
      return check_kept_answer(in, who, what.answer, "same-replay");
    case told_as::same:
      if (kind_of(what.answer) != who.kind) report("mismatch-reads-only", "served the answer to another request");
      if (ending_of(what.answer) != ending::refused)
        report("record-before-response",
               "served an answer that is not recorded: " + words_.text_of_answer(what.answer));
      return;
    case told_as::problem:
      return check_problem(in, who, what);
  }
}

void invariants::check_live(const state& in, const exchange_slot& who) {
  switch (ending_of(who.heard)) {
    case ending::fulfilled:
    case ending::rejected:
    case ending::too_large:
      return check_kept_answer(in, who, who.heard, "record-before-response");
    case ending::gateway_timeout:
    case ending::refused:
      return;
    case ending::none:
    case ending::unreachable:
    case ending::failed:
    case ending::timed_out:
    case ending::probed:
    case ending::resolved:
      return report("record-before-response", "passed on an answer that the upstream did not give");
  }
}

void invariants::check_kept_answer(const state& in, const exchange_slot& who, answer_tag answer,
                                   const char* otherwise) {
  const key_history& history = in.keys[words_.kind(who.kind).key];
  if (answer == 0 || answer == strange_tag) return report(otherwise, "served what nobody answered");
  if (kind_of(answer) != who.kind) {
    const bool same_key = words_.kind(kind_of(answer)).key == words_.kind(who.kind).key;
    return report(same_key ? "mismatch-reads-only" : "scopes-never-meet",
                  "served " + words_.text_of_answer(answer) + " to somebody else");
  }
  if (answer != history.recorded && answer != history.recorded_before)
    report(otherwise,
           "served " + words_.text_of_answer(answer) + ", recorded is " + words_.text_of_answer(history.recorded));
}

// A new key is safe only if nothing under this key, begun before the request or by it, has run or may yet.
void invariants::check_problem(const state& in, const exchange_slot& who, const told& what) {
  const unsigned key = words_.kind(who.kind).key;
  if (what.type == core::problem_type::mismatch) {
    unsigned others = 0;
    for (unsigned kind = 0; kind < about_.kinds.size(); ++kind)
      others += kind != who.kind && words_.kind(kind).key == key;
    if (others == 0) report("scopes-never-meet", "told of a mismatch, and nobody else uses the key");
    return;
  }
  if (what.type == core::problem_type::result_gone || what.type == core::problem_type::duplicate)
    return check_kept_answer(in, who, what.answer, "same-replay");
  if (!what.new_key_safe) return;
  for (unsigned f = 1; f <= in.grant_count; ++f) {
    const grant_history& grant = in.grants[f - 1];
    const bool concerns = f <= who.earlier || grant.owner >> 8 == who.name;
    if (!concerns || grant.past || grant.kind != who.kind || grant.at_upstream == effect::none) continue;
    report("honest-refusal", "told that a new key is safe, although " + fence_text(f) +
                                 (grant.at_upstream == effect::done ? " has taken effect" : " may take effect"));
  }
}

}  // namespace onceward::model
