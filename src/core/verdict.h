// What the record that a server returned says to the command that it was sent for: for stores whose rules are carried
// out elsewhere, in SQL or in a script, which return the record whether or not they changed it.
#pragma once

#include <optional>

#include "core/record.h"
#include "onceward/store.h"

namespace onceward::core {

// What a statement or script about one record returned.
struct found_record {
  bool changed;   // By this one.
  wall_time now;  // The server's, when it decided.
  record kept;
};

// The reply that the rules of core/record.h give on what was found (nothing where there was no record). No reply where
// the rules would have changed the record and the server did not: it met a change that its snapshot does not show. It
// did nothing, and the same command is to be sent again.
std::optional<reply> answer_to(const command& what, const std::optional<found_record>& found);

// Whether the record was changed by a command that ends an attempt, so that others who wait for it are to be told.
bool ends_attempt(const command& what, const reply& answer);

}  // namespace onceward::core
