// One transaction in SQLite: the small embedded form, for a service whose data is one file.
//
// The tables onceward_record, onceward_deployment and onceward_outbox lie in the caller's database. The caller begins
// the transaction, best with BEGIN IMMEDIATE and a busy timeout, so that duplicates wait there; this class never ends
// it but in commit(). Leases and retention are judged by the machine's clock, which all users of the file share.
//
// Not for several threads at once. The connection and the identifier are borrowed and outlive it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "onceward/transaction.h"

// SQLite's connection; <sqlite3.h> is not needed to read this header.
struct sqlite3;

namespace onceward::transaction {

// Makes the tables where there are none, with a deployment secret, which it returns. Outside a transaction. The error
// is a sentence.
tl::expected<std::string, std::string> prepare_sqlite(sqlite3* connection);

// The same calls, with the same meaning, as postgres_transaction. A transaction that was begun without IMMEDIATE may
// get run_again from any of them. commit() gets it where somebody else reads: the transaction is open still, and
// commit() may be called again instead. A COMMIT that the disk fails, full ones included, is `commit_unknown`.
class sqlite_transaction {
 public:
  sqlite_transaction(sqlite3* connection, const identifier& rules) : connection_(connection), rules_(rules) {}

  begun begin(const identity& who);
  done complete(const run& attempt, const response& answer);
  done save(run& attempt, std::string_view state);
  done resume(const run& attempt);
  done send(const run& attempt, std::string_view topic, std::string_view payload);
  done commit();

 private:
  sqlite3* connection_;
  const identifier& rules_;
};

// There is one writer, so nothing needs to be skipped: a relay takes, sends and deletes in one BEGIN IMMEDIATE.
tl::expected<std::vector<outbox_message>, failure> take_from_outbox(sqlite3* connection, std::size_t limit);
done delete_from_outbox(sqlite3* connection, const std::vector<outbox_message>& sent);

// Deletes records that have expired, at most `limit`. Inside a transaction.
done purge_sqlite(sqlite3* connection, std::size_t limit);

}  // namespace onceward::transaction
