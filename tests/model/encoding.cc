#include "tests/model/encoding.h"

#include <algorithm>
#include <optional>
#include <variant>
#include <vector>

#include "base/overloaded.h"

namespace onceward::model {
void encode(encoder& out, const record_key& key) {
  out.raw(key.bytes.data(), key.bytes.size());
}

void encode(encoder& out, const attempt_id& id) {
  out.raw(id.bytes.data(), id.bytes.size());
}

void encode(encoder& out, std::chrono::milliseconds span) {
  out.number(span.count());
}

void encode(encoder& out, wall_time when) {
  out.number(when.time_since_epoch().count());
}

void encode(encoder& out, base::moment when) {
  out.number(when.time_since_epoch().count());
}

template <typename T>
void encode(encoder& out, const std::optional<T>& value) {
  out.number(value.has_value());
  if (value) encode(out, *value);
}

// ---- Commands ------------------------------------------------------------------------------------------------------

void encode(encoder& out, const claim& what) {
  encode(out, what.key);
  encode(out, what.attempt);
  encode(out, what.lease);
  encode(out, what.retention);
  out.blob(what.fingerprint);
  encode(out, what.over_unknown);
}

void encode(encoder& out, const renew& what) {
  encode(out, what.key);
  encode(out, what.attempt);
  encode(out, what.lease);
}

void encode(encoder& out, const outcome_completed& what) {
  out.blob(what.response);
  out.blob(what.tombstone);
  encode(out, what.retention);
  encode(out, what.retention_tombstone);
}

void encode(encoder& out, const outcome_unknown& what) {
  encode(out, what.retention);
}

void encode(encoder& out, const complete& what) {
  encode(out, what.key);
  encode(out, what.attempt);
  out.number(what.outcome.index());
  std::visit([&](const auto& outcome) { encode(out, outcome); }, what.outcome);
}

void encode(encoder& out, const release& what) {
  encode(out, what.key);
  encode(out, what.attempt);
}

void encode(encoder& out, const find& what) {
  encode(out, what.key);
}

void encode(encoder& out, const list_unknown& what) {
  encode(out, what.after);
  out.number(what.limit);
}

void encode(encoder&, const purge&) {}

// ---- Replies -------------------------------------------------------------------------------------------------------

void encode(encoder& out, const record_summary& what) {
  encode(out, what.attempt);
  out.number(what.attempt_number);
  out.number(what.token);
  encode(out, what.first_seen);
  encode(out, what.ended_at);
  encode(out, what.expires_at);
  out.blob(what.fingerprint);
}

void encode(encoder& out, const claim_granted& what) {
  out.number(what.token);
  out.number(what.attempt_number);
  encode(out, what.lease_left);
}

void encode(encoder& out, const record_in_flight& what) {
  encode(out, what.summary);
  encode(out, what.lease_left);
}

void encode(encoder& out, const record_completed& what) {
  encode(out, what.summary);
  out.blob(what.response);
  out.blob(what.tombstone);
}

void encode(encoder& out, const record_unknown& what) {
  encode(out, what.summary);
}

void encode(encoder& out, const record_released& what) {
  encode(out, what.summary);
}

void encode(encoder&, const record_absent&) {}
void encode(encoder&, const applied&) {}
void encode(encoder&, const fenced&) {}

void encode(encoder& out, const unknown_listed& what) {
  out.number(what.items.size());
  for (const auto& each : what.items) {
    encode(out, each.key);
    encode(out, each.summary);
  }
}

void encode(encoder& out, const purged& what) {
  out.number(what.records);
}

void encode(encoder& out, const store_failure& what) {
  out.number(what.effect);
  out.number(what.reason);
}

void encode(encoder& out, const command& value) {
  out.number(value.index());
  std::visit([&](const auto& what) { encode(out, what); }, value);
}

void encode(encoder& out, const reply& value) {
  out.number(value.index());
  std::visit([&](const auto& what) { encode(out, what); }, value);
}

void encode(encoder& out, const core::ended_attempt& value) {
  out.number(value.how);
  out.number(value.token);
  out.blob(value.fingerprint);
  out.blob(value.response);
  out.blob(value.tombstone);
}

void encode(encoder& out, const core::problem& what) {
  out.number(what.type);
  out.number(what.status);
  out.number(what.state);
  out.number(what.retryable);
  out.number(what.new_key_safe);
  out.number(what.wants_retry_after);
  out.text(what.detail);
  out.text(what.word);
  for (const std::string& part : what.differs)
    out.text(part);
  out.number(what.result_status.value_or(0));
  out.text(what.result_location);
}

void encode(encoder& out, const core::response_source& source) {
  out.number(source.index());
  if (const auto* live = std::get_if<core::respond_live>(&source)) out.number(live->not_recorded);
  if (const auto* replay = std::get_if<core::respond_replay>(&source)) out.blob(replay->response);
  if (const auto* same = std::get_if<core::respond_same>(&source)) out.blob(same->response);
  if (const auto* ours = std::get_if<core::respond_problem>(&source)) encode(out, ours->what);
}

// ---- Records -------------------------------------------------------------------------------------------------------

void encode(encoder& out, const core::state_in_flight& at) {
  encode(out, at.lease_end);
}

void encode(encoder& out, const core::state_completed& at) {
  encode(out, at.completed_at);
  encode(out, at.response_expires_at);
  encode(out, at.tombstone_expires_at);
  out.blob(at.response);
  out.blob(at.tombstone);
}

void encode(encoder& out, const core::state_released& at) {
  encode(out, at.released_at);
}

void encode(encoder& out, const core::state_unknown& at) {
  encode(out, at.since);
}

void encode(encoder& out, const core::record& kept) {
  encode(out, kept.attempt);
  out.number(kept.attempt_number);
  out.number(kept.token);
  encode(out, kept.first_seen);
  encode(out, kept.retention);
  out.blob(kept.fingerprint);
  out.number(kept.state.index());
  std::visit([&](const auto& at) { encode(out, at); }, kept.state);
}

void encode(encoder& out, const core::exchange& value) {
  core::exchange_access::encode(out, value);
}

void encode(encoder& out, const memory_store::record_table& value) {
  memory_store::record_table_access::encode(out, value);
}

}  // namespace onceward::model

namespace onceward::core {

void exchange_access::encode(model::encoder& out, const exchange& value) {
  using model::encode;
  encode(out, value.identity_.key);
  encode(out, value.identity_.attempt);
  out.blob(value.identity_.fingerprint);
  out.number(value.grant_.has_value());
  if (value.grant_) {
    out.number(value.grant_->attempt_number);
    out.number(value.grant_->token);
  }
  encode(out, value.give_up_);
  out.number(value.claims_);
  out.number(value.client_present_);
  out.number(value.probes_);
  out.number(value.state_.index());
  std::visit(base::overloaded{
                 [&](const exchange::fresh&) {},
                 [&](const exchange::claiming& at) {
                   encode(out, at.over_unknown);
                   encode(out, at.give_up);
                   encode(out, at.submitted_at);
                   out.number(at.submitted);
                 },
                 [&](const exchange::waiting& at) {
                   out.number(at.seen);
                   out.number(at.overheard);
                   out.number(at.finding);
                   out.number(at.behind_probe);
                 },
                 [&](const exchange::forwarding& at) {
                   encode(out, at.lease_end);
                   encode(out, at.renewal_submitted);
                   out.number(at.renewing);
                   out.number(at.renewable);
                   out.number(at.takeover);
                 },
                 [&](const exchange::recording& at) {
                   encode(out, at.outcome);
                   encode(out, at.answer);
                   encode(out, at.end);
                   encode(out, at.lease_end);
                   encode(out, at.backoff);
                   out.number(at.submitted);
                 },
                 [&](const exchange::probing& at) {
                   encode(out, at.owner);
                   out.number(at.seen);
                   encode(out, at.backoff);
                   out.number(at.now);
                 },
                 [&](const exchange::over&) {},
             },
             value.state_);
}

}  // namespace onceward::core

namespace onceward::memory_store {

void record_table_access::encode(model::encoder& out, const record_table& value) {
  std::vector<record_key> keys;
  for (const auto& [key, place] : value.records_)
    keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  for (const record_key& key : keys) {
    const auto& place = value.records_.at(key);
    model::encode(out, key);
    model::encode(out, place.kept);
    model::encode(out, place.due);
    out.number(value.in_flight_.contains(key));
  }
  // The heap's own order is of no consequence; stale places in it are.
  auto due = value.due_;
  std::sort(due.begin(), due.end(), [](const auto& left, const auto& right) {
    return left.due != right.due ? left.due < right.due : left.key < right.key;
  });
  for (const auto& each : due) {
    model::encode(out, each.key);
    model::encode(out, each.due);
  }
  out.number(value.unknown_);
  out.number(value.bytes_);
}

void record_table_access::abandon_all(record_table& table, wall_time now) {
  record_table opened(table.completion_bytes_reserved_);
  for (const auto& [key, place] : table.records_)
    opened.put(key, core::abandoned(place.kept, now));
  table = std::move(opened);
}

}  // namespace onceward::memory_store
