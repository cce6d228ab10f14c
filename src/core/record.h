// What a store keeps under one record key, and the rules by which commands change it.
//
// The rules are one pure function, so that the memory store, the journal and the model checker apply the same ones; a
// store whose rules live elsewhere (in SQL, in a script) is held to them by the conformance kit. A store adds what a
// rule cannot have: a clock, durability, and that commands for one key are decided one after the other.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <variant>

#include "onceward/store.h"

namespace onceward::core {

// Claimed; the lease runs out at `lease_end` unless it is renewed.
struct state_in_flight {
  wall_time lease_end;
};

// The outcome is known. `response` is null when the body was not kept.
struct state_completed {
  wall_time completed_at;
  wall_time response_expires_at;
  wall_time tombstone_expires_at;  // Not before response_expires_at.
  shared_bytes response;
  shared_bytes tombstone;
};

// Given up without an outcome; kept for its attempt number and fence only.
struct state_released {
  wall_time released_at;
};

// Nobody knows whether the operation ran.
struct state_unknown {
  wall_time since;
};

using record_state = std::variant<state_in_flight, state_completed, state_released, state_unknown>;

struct record {
  attempt_id attempt;            // Owns the record, or was the last to own it.
  std::uint32_t attempt_number;  // 1 for the first attempt of this key.
  fence token;
  wall_time first_seen;
  std::chrono::milliseconds retention;  // From the end of the attempt, for every state but completed.
  shared_bytes fingerprint;             // Never null.
  record_state state;
};

// The record as it is at `now`: a lease that ran out makes it unknown, an expired response leaves the tombstone, and an
// expired record is gone.
std::optional<record> as_of(record kept, wall_time now);

// Until this time, as_of() gives the record as it is.
wall_time changes_at(const record& kept);

// The record as its store finds it when the only process that could hold its lease is gone: in flight becomes unknown,
// from now on, because renewals need not have been kept and the end of the lease is therefore not known.
record abandoned(record kept, wall_time now);

// When the record may be deleted; nothing while in flight.
std::optional<wall_time> expiry(const record& kept);

record_summary summarise(const record& kept);

// The reply that describes the record to a claim or a find.
reply describe(const record& kept, wall_time now);

// What becomes of a command. `after` is set when the record changes; a store acknowledges only when it is kept.
struct decision {
  reply answer;
  std::optional<record> after;
};

// Whether a claim of the record's key can be granted at all. Where it cannot, as over every replay, it needs no fence.
inline bool may_be_granted(const record* before) {
  return before == nullptr || !std::holds_alternative<state_completed>(before->state);
}

// Decides a command for one key. `before` is the record as_of(now), or null when there is none. `next` is the fence
// that a grant would get: larger than any that this store has granted.
decision decide(const record* before, const claim& what, wall_time now, fence next);
decision decide(const record* before, const renew& what, wall_time now);
decision decide(const record* before, const complete& what, wall_time now);
decision decide(const record* before, const release& what, wall_time now);

// A shard or hash index from a record key, which is a MAC and therefore uniform. In memory only: never stored.
struct record_key_index {
  std::size_t operator()(const record_key& key) const noexcept {
    std::size_t index;
    std::memcpy(&index, key.bytes.data(), sizeof index);
    return index;
  }
};

}  // namespace onceward::core
