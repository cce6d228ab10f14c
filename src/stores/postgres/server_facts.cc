#include "stores/postgres/server_facts.h"

#include "stores/postgres/schema.h"

namespace onceward::postgres {

std::string_view to_string(durability level) {
  switch (level) {
    case durability::synced:
      return "synced";
    case durability::replicated:
      return "replicated";
  }
  return {};
}

// The timeline of what is written now, not of the last checkpoint, which a server that was just promoted has yet to
// make.
std::string_view server_facts_text() {
  return "SELECT current_setting('server_version'), pg_is_in_recovery(), current_setting('transaction_read_only'),"
         " current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'),"
         " current_setting('synchronous_standby_names'), (SELECT system_identifier::text FROM pg_control_system()),"
         " CASE WHEN pg_is_in_recovery() THEN '' ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END,"
         " (SELECT coalesce(bool_and(c.relpersistence = 'p'), true) FROM pg_class c"
         " WHERE c.relnamespace = to_regnamespace('onceward') AND c.relkind IN ('r', 'S'))";
}

server_identity identity_of(const server_facts& facts) {
  return {facts.system_identifier, facts.timeline};
}

std::string to_string(const server_identity& which) {
  return which.system_identifier + ", timeline " + which.timeline;
}

// Timelines are eight hexadecimal digits.
bool is_past_of(const server_identity& one, const server_identity& other) {
  return one.system_identifier == other.system_identifier && one.timeline < other.timeline;
}

std::optional<server_facts> read_server_facts(std::span<const column_view> row) {
  if (row.size() != server_facts_columns) return std::nullopt;
  for (const column_view& column : row) {
    if (!column) return std::nullopt;
  }
  return server_facts{.version = std::string(*row[0]),
                      .in_recovery = *row[1] == "t",
                      .read_only = *row[2] == "on",
                      .fsync = *row[3] == "on",
                      .full_page_writes = *row[4] == "on",
                      .synchronous_commit = std::string(*row[5]),
                      .standby_names = std::string(*row[6]),
                      .system_identifier = std::string(*row[7]),
                      .timeline = std::string(*row[8]),
                      .is_logged = *row[9] == "t"};
}

std::optional<std::string> objection_to(const server_facts& facts, durability level) {
  if (facts.in_recovery) {
    return "the server is a standby, which takes no writes: name the primary in the URL, or several servers with "
           "target_session_attrs=read-write";
  }
  if (facts.read_only) {
    return "the database is read-only: set default_transaction_read_only = off for it and for the gateway's role";
  }
  if (!facts.fsync) {
    return "the server runs with fsync = off and can lose acknowledged records when its machine fails: set fsync = on";
  }
  if (!facts.full_page_writes) {
    return "the server runs with full_page_writes = off and can lose acknowledged records when its machine fails: set "
           "full_page_writes = on";
  }
  if (facts.synchronous_commit == "off") {
    return "synchronous_commit = off acknowledges what is not on disk yet: set synchronous_commit = on for the "
           "database and for the gateway's role";
  }
  if (!facts.is_logged) {
    return "a table of the schema onceward is UNLOGGED and would be empty after a crash of the server: ALTER TABLE ... "
           "SET LOGGED";
  }
  if (level == durability::synced) return std::nullopt;
  if (facts.standby_names.empty()) {
    return "`durability: replicated` needs a synchronous standby, and synchronous_standby_names is empty: set it, or "
           "use `durability: synced`";
  }
  if (facts.synchronous_commit != "on" && facts.synchronous_commit != "remote_apply") {
    return "`durability: replicated` needs synchronous_commit = on or remote_apply, and it is " +
           facts.synchronous_commit;
  }
  return std::nullopt;
}

std::optional<std::string> objection_to_schema(std::optional<std::int64_t> version) {
  if (version == schema_version) return std::nullopt;
  if (!version) return "the database has no onceward schema; make it with: onceward store migrate --config FILE";
  const std::string both = "the onceward schema in the database is of version " + std::to_string(*version) +
                           ", and this program works with version " + std::to_string(schema_version);
  if (*version < schema_version) return both + "; bring it up with: onceward store migrate --config FILE";
  return both + "; use the program that `onceward store migrate` was last run with, or a later one";
}

}  // namespace onceward::postgres
