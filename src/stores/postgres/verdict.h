// What a statement's row says to the command that it was sent for.
#pragma once

#include <optional>

#include "onceward/result.h"
#include "onceward/store.h"
#include "stores/postgres/rows.h"

namespace onceward::postgres {

// The reply that the rules of core/record.h give on what was found (nothing where there was no row). No reply where the
// rules would have changed the record and the statement did not: it met a change that its snapshot does not show. It
// did nothing, and the same command is to be sent again.
std::optional<reply> answer_to(const command& what, const std::optional<found_record>& found);

// Whether the record was changed by a command that ends an attempt, so that others who wait for it are to be told.
bool ends_attempt(const command& what, const reply& answer);

}  // namespace onceward::postgres
