// What the store keeps in a database: the schema `onceward`, which is its own and refers to nobody's tables.
//
// Records lie in one table under their record key, without partitions: a key must be unique whenever its record
// expires. What is large, the responses, lies beside them in one partition for each day on which responses expire, and
// goes by dropping the day. docs/decisions/0016-records-whole-responses-by-day.md has the reasons.
#pragma once

#include <string>
#include <string_view>

namespace onceward::postgres {

// Of the schema that this build reads and writes, and no other.
inline constexpr int schema_version = 2;

// Makes the schema of schema_version where there is none: several statements, for one transaction.
std::string schema_text();

// Brings the schema of version `from`, 1 or later, to the next one: several statements, for one transaction.
std::string_view upgrade_text(int from);

}  // namespace onceward::postgres
