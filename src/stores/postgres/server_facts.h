// Whether a server can keep what the store promises, judged on every connection that is made, before it is used.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "stores/postgres/rows.h"

namespace onceward::postgres {

enum class durability {
  synced,      // An acknowledged command survives power loss of the server, not the loss of its disk.
  replicated,  // It is also on a synchronous standby.
};

std::string_view to_string(durability level);

// One statement, without parameters, that works in any database.
std::string_view server_facts_text();
inline constexpr std::size_t server_facts_columns = 10;

struct server_facts {
  std::string version;  // Of the server, for people.
  bool in_recovery = false;
  bool read_only = false;
  bool fsync = false;
  bool full_page_writes = false;
  std::string synchronous_commit;
  std::string standby_names;
  std::string system_identifier;
  std::string timeline;   // Empty in recovery.
  bool is_logged = true;  // None of our tables is left out of the server's log.
};

// Of two servers with the same identity, one has what the other acknowledged.
struct server_identity {
  std::string system_identifier;
  std::string timeline;

  bool operator==(const server_identity&) const = default;
};

server_identity identity_of(const server_facts& facts);
std::string to_string(const server_identity& which);

// Whether `one` is what was before `other`: each promotion and each recovery of a backup begins a later timeline.
bool is_past_of(const server_identity& one, const server_identity& other);

// From the columns of server_facts_text(), as text.
std::optional<server_facts> read_server_facts(std::span<const column_view> row);

// What the operator has to change before the server can be used at this level; nothing if it can.
std::optional<std::string> objection_to(const server_facts& facts, durability level);

// The same for the version of our schema in the database; nothing is one that has none.
std::optional<std::string> objection_to_schema(std::optional<std::int64_t> version);

}  // namespace onceward::postgres
