// One transaction in PostgreSQL, on a libpq connection of the caller's, with the records that gateways on the same
// database read and write. `onceward store migrate` makes the schema.
//
// The caller sends BEGIN, at any isolation level, and its own statements; this class sends its statements in between
// and never ends the transaction but in commit(). A crash, or a ROLLBACK, leaves the key as it was before.
//
// Not for several threads at once. The connection and the identifier are borrowed and outlive it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "onceward/transaction.h"

// libpq's connection and result; <postgresql/libpq-fe.h> is not needed to read this header.
struct pg_conn;
struct pg_result;

namespace onceward::transaction {

// The deployment secret that is kept in the database; made there where there is none yet. The error is a sentence, also
// where the secret is kept in a file. Outside a transaction, or in one that is committed afterwards.
tl::expected<std::string, std::string> postgres_secret(pg_conn* connection);

class postgres_transaction {
 public:
  postgres_transaction(pg_conn* connection, const identifier& rules) : connection_(connection), rules_(rules) {}

  // Claims the key for this transaction. Waits while another transaction has it, at most rules::lock_wait.
  begun begin(const identity& who);

  // Records the response of a run. To be followed by the commit.
  done complete(const run& attempt, const response& answer);

  // Ends a phase: keeps `state` for the next. Commit, and the run goes on from here whatever happens to this process.
  // While it lasts, gateways see the key in flight; after the lease, unknown, until somebody begins it again here.
  done save(run& attempt, std::string_view state);

  // The first call in the transaction of a further phase of the same process: `fenced` where the lease ran out.
  done resume(const run& attempt);

  // Adds a message to the outbox.
  done send(const run& attempt, std::string_view topic, std::string_view payload);

  // Sends COMMIT and says what became of it. A commit that this server has, and that the synchronous standby did not
  // acknowledge, is `commit_unknown` although the server reports success. It is seen by a notice receiver, which this
  // call takes the place of, and puts back; not that of the caller's own, if there is one: libpq does not say what it
  // was set with. Such a receiver asks commit_is_unacknowledged() of each notice. (Notice processors are called as
  // ever.)
  done commit();

 private:
  pg_conn* connection_;
  const identifier& rules_;
};

// Whether a notice that came with a COMMIT says that the commit was not acknowledged by the synchronous standby that it
// had to wait for: what commit() calls `commit_unknown`. For callers who send COMMIT themselves, or have a notice
// receiver of their own. Any thread.
bool commit_is_unacknowledged(const pg_result* notice);

// For the relay that sends what is in the outbox, inside a transaction of its own: takes the oldest messages that no
// other relay has taken, at most `limit`; deletes those that were sent. Messages may be sent again where the commit
// afterwards fails.
tl::expected<std::vector<outbox_message>, failure> take_from_outbox(pg_conn* connection, std::size_t limit);
done delete_from_outbox(pg_conn* connection, const std::vector<outbox_message>& sent);

}  // namespace onceward::transaction
