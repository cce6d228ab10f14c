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

// Columns of found_record; those of a row of list_unknown, which ends with the key; of claim_many, which begins with
// it.
inline constexpr std::size_t record_columns = 14;
inline constexpr std::size_t listed_columns = 15;
inline constexpr std::size_t claimed_columns = 15;

// `corrupt` for columns that are not what the statements return. Without `changed`, what is missing in the row is not
// looked at further: a record that was just changed needs no blobs.
result<found_record> read_record(std::span<const column_view> row);
result<unknown_listed::item> read_listed(std::span<const column_view> row);

// Of claim_many: what a claim of the key found or, where it was granted, what the grant is; nothing more of the record
// is read then. `corrupt` for columns that are no such row.
struct keyed_record {
  record_key key;
  found_record found;
};
result<keyed_record> read_claimed(std::span<const column_view> row);

// Of complete_many: only that it was changed.
result<keyed_record> read_completed(std::span<const column_view> row);

result<std::int64_t> read_number(const column_view& column);

}  // namespace onceward::postgres
