// The rows that the statements return, in PostgreSQL's binary form, as values of ours.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/verdict.h"
#include "onceward/result.h"
#include "onceward/store.h"

namespace onceward::postgres {

// Nothing is NULL.
using column_view = std::optional<std::string_view>;

using core::found_record;

// Columns of found_record, and those of a row of list_unknown, which ends with the key.
inline constexpr std::size_t record_columns = 14;
inline constexpr std::size_t listed_columns = 15;

// `corrupt` for columns that are not what the statements return. Without `changed`, what is missing in the row is not
// looked at further: a record that was just changed needs no blobs.
result<found_record> read_record(std::span<const column_view> row);
result<unknown_listed::item> read_listed(std::span<const column_view> row);

result<std::int64_t> read_number(const column_view& column);

}  // namespace onceward::postgres
