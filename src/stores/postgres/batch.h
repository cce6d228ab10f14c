// What goes out to the server at once: the statements, in their order, and the commands that each of them carries out.
#pragma once

#include <deque>
#include <vector>

#include "stores/postgres/parameters.h"
#include "stores/postgres/store_parts.h"

namespace onceward::postgres {

struct batch_part {
  std::vector<pending_command> commands;  // Of different keys, in their order; at least one.

  // Fresh claims go out as one statement, and so do fresh completions. What such a statement left alone, and all else,
  // takes a statement of its own.
  bool is_many() const { return commands.size() > 1; }
};

using batch = std::vector<batch_part>;

// What a batch weighs at most, on the wire.
inline constexpr std::size_t batch_bytes_max = 64'000;

// Takes the next batch from the front of the queue, which is not empty. Commands for one key stay in their order: only
// the first of a key goes with others, and those behind it come after them. One that is to go alone does.
batch take_batch(std::deque<pending_command>& queue);

// The statement of a part and its parameters, which borrow from it.
statement encode(const batch_part& what, parameters& into);

}  // namespace onceward::postgres
