// The port that every store implements.
//
// A store keeps at most one record for each record key and answers four commands that change a record (claim, renew,
// complete, release) and three that an operator or a curious client needs (find, list_unknown, purge). It decides
// nothing about HTTP: what to keep, for how long, and what a client is told are decided before a command is made.
//
// Repeatability: a reply can be lost, so every command may be submitted again. The same claim, renewal, completion or
// release of the same attempt gets the same reply and changes nothing the second time, until the record has moved on.
//
// Clock: leases and retention are judged by the store's own clock alone. Durations go in, durations left come out; a
// caller's clock is never compared with the store's.
//
// Threads: submit(), gather() and flush() may be called from any thread. Each command gets exactly one reply, through
// the sink that the caller named: later, from a thread of the store's, or at once, from inside submit() or gather(),
// where nothing has to be waited for. Replies to commands that were outstanding at the same time may come in any order.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "onceward/identity.h"
#include "onceward/result.h"

namespace onceward {

// A point in time by the store's clock, for showing to people. Milliseconds since 1970-01-01 UTC.
using wall_time = std::chrono::sys_time<std::chrono::milliseconds>;

// Immutable bytes shared between the store, its caller and the threads that serve replays. Null means "not there".
using shared_bytes = std::shared_ptr<const std::string>;

// ---- Commands ------------------------------------------------------------------------------------------------------

// Asks for the right to run the operation. Granted when the key is absent, expired or released; otherwise the reply is
// the record as it stands. A grant is durable at the store's configured level before it is delivered.
struct claim {
  record_key key;
  attempt_id attempt;
  std::chrono::milliseconds lease;      // > 0. When it runs out unrenewed, the record becomes unknown.
  std::chrono::milliseconds retention;  // How long the record is kept if the attempt never ends.
  shared_bytes fingerprint;             // Opaque; never null; handed back with every later reply about the record.
  // Takeover: also granted when the record is unknown and still owned by this attempt (compare-and-set).
  std::optional<attempt_id> over_unknown = std::nullopt;
};

// Extends the lease to `lease` from now, for the attempt that holds it. A lease that has run out is not revived.
struct renew {
  record_key key;
  attempt_id attempt;
  std::chrono::milliseconds lease;
};

// The outcome is known: every later duplicate is answered from it.
struct outcome_completed {
  shared_bytes response;                          // Opaque; null when the body is not kept.
  shared_bytes tombstone;                         // Opaque; never null; kept at least as long as the response.
  std::chrono::milliseconds retention;            // Of the response, from completion.
  std::chrono::milliseconds retention_tombstone;  // Of the tombstone; the longer of the two counts.
};

// The attempt ended and nobody knows how.
struct outcome_unknown {
  std::chrono::milliseconds retention;
};

// Writes the outcome of an attempt that owns the record, in flight or already unknown. The first result of an attempt
// stands (a probe or an operator may have been faster): a different one changes nothing and gets record_completed, the
// same as every retry. `completed` may follow `unknown`, not the other way round.
struct complete {
  record_key key;
  attempt_id attempt;
  std::variant<outcome_completed, outcome_unknown> outcome;
};

// Gives the key up without a record, because the operation surely did not take effect. Any request may claim it again.
struct release {
  record_key key;
  attempt_id attempt;
};

// Reads the record and changes nothing.
struct find {
  record_key key;
};

// Reads up to `limit` records whose outcome is unknown, in the order of their keys, beginning after `after`.
struct list_unknown {
  record_key after;
  std::size_t limit;
};

// Deletes what has expired. Stores do so by themselves as well; this one is for operators and tests.
struct purge {};

using command = std::variant<claim, renew, complete, release, find, list_unknown, purge>;

// ---- Replies -------------------------------------------------------------------------------------------------------

// What every reply about an existing record tells.
struct record_summary {
  attempt_id attempt;            // The attempt that owns the record, or the last one that did.
  std::uint32_t attempt_number;  // Of that attempt; 1 for the first.
  fence token;
  wall_time first_seen;
  wall_time ended_at;    // When it was completed, released or became unknown; while in flight, when the lease ends.
  wall_time expires_at;  // Not before this.
  shared_bytes fingerprint;
};

// To claim: the caller holds the lease and presents its attempt id with every later command for this key.
struct claim_granted {
  fence token;                   // Larger than any fence granted for this key before.
  std::uint32_t attempt_number;  // 1 for the first.
  std::chrono::milliseconds lease_left;
};

// To claim and find: somebody else's attempt holds the lease.
struct record_in_flight {
  record_summary summary;
  std::chrono::milliseconds lease_left;
};

// To claim and find, and to complete when another result stands already. `response` is null when the body was not kept
// or has expired.
struct record_completed {
  record_summary summary;
  shared_bytes response;
  shared_bytes tombstone;
};

// To claim, find and renew: the attempt's lease ran out or its outcome was indefinite.
struct record_unknown {
  record_summary summary;
};

// To find only.
struct record_released {
  record_summary summary;
};

// To find only: the key never was, or has expired.
struct record_absent {};

// To renew, complete and release: it is so, durably, now or since the command was first submitted.
struct applied {};

// To renew, complete and release: the record is not, or no longer, this attempt's; nothing was changed. To claim: the
// same attempt has released the key before, so this is a late copy of its claim.
struct fenced {};

struct unknown_listed {
  struct item {
    record_key key;
    record_summary summary;
  };
  std::vector<item> items;
};

struct purged {
  std::uint64_t records;
};

// Definite: the command did not and will not take effect. Indefinite: it may have, or may yet; submit it again to
// learn.
enum class certainty { definite, indefinite };

struct store_failure {
  certainty effect;
  errc reason;
};

using reply = std::variant<claim_granted, record_in_flight, record_completed, record_unknown, record_released,
                           record_absent, applied, fenced, unknown_listed, purged, store_failure>;

// ---- The interface -------------------------------------------------------------------------------------------------

// A reply with the tag under which the caller submitted the command.
struct tagged_reply {
  std::uint64_t tag;
  reply value;
};

// Where replies go: one for each executor. Outlives every command submitted with it.
class reply_sink {
 public:
  virtual ~reply_sink() = default;

  // Takes the replies out of `replies` and puts them where their receivers will look: it calls nobody back. Called from
  // any thread, also from inside submit() on the submitter's, which therefore holds no lock that this takes. It must
  // not block: a store's committer calls it for a whole group at once.
  virtual void deliver(std::span<tagged_reply> replies) = 0;
};

// A snapshot for metrics and readiness.
struct store_statistics {
  std::uint64_t records = 0;  // Kept, expired ones not yet purged included.
  std::uint64_t records_unknown = 0;
  std::uint64_t bytes = 0;        // On disk, or in memory for a store that has no disk.
  std::uint64_t bytes_limit = 0;  // Beyond it new claims are refused; 0 for none.
  bool accepts_claims = false;    // False when full, failed or closed.
  // Of this process. Another server answered than before, which lacked records that had been acknowledged.
  std::uint64_t failovers = 0;
  std::uint64_t records_lost = 0;
};

// Told by a store that other processes share of attempts that ended there, so that whoever waits for them here reads
// their records again. A process that dies may take what it had to tell with it.
//
// Called from a thread of the store's; must not block, and submits nothing from inside a call.
class record_observer {
 public:
  virtual ~record_observer() = default;

  virtual void attempts_ended(std::span<const record_key> keys) = 0;
  // Of any record: some of what was told may have been missed.
  virtual void any_may_have_ended() = 0;
};

// What a thread would do next if it did not flush a store.
enum class caller {
  busy,  // Something else.
  idle,  // Wait for something to happen.
};

class store {
 public:
  virtual ~store() = default;

  // `sink` receives the reply under `tag`, perhaps before this returns. The command's shared bytes are kept as long as
  // the store needs them.
  virtual void submit(command what, reply_sink& sink, std::uint64_t tag) = 0;

  // The same for a caller that has more to submit in the same breath: the store may begin with the command only when
  // flush() is called, so that what is gathered is one lot of work, with one wake-up, and not a first command and a
  // rest. The reply may come before that all the same, also from inside. Commands of one thread are decided in the
  // order in which they were submitted or gathered.
  virtual void gather(command what, reply_sink& sink, std::uint64_t tag) { submit(std::move(what), sink, tag); }

  // Begins with everything that this thread has gathered, and perhaps with what others have. Who gathers calls this
  // before it waits for anything. A thread that is idle may be made to do the work, where that takes about a
  // millisecond at most: it saves waking another one, twice.
  virtual void flush(caller is) { static_cast<void>(is); }

  // Any thread; cheap enough to be called for every scrape.
  virtual store_statistics statistics() const = 0;

  // From now on `observer` is told, instead of the one before; null for nobody. It outlives the store, or is replaced.
  // Returns when no call to the one before is under way. A store with one owner has nothing to tell.
  virtual void observe(record_observer* observer) { static_cast<void>(observer); }
};

}  // namespace onceward
