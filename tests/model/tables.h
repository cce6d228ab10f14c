// The record tables of all states: the memory store's own, each distinct one once, and what it does about each command,
// remembered as machines.h remembers exchanges.
#pragma once

#include <cstdint>
#include <deque>

#include "stores/memory/record_table.h"
#include "tests/model/flat_map.h"
#include "tests/model/vocabulary.h"

namespace onceward::model {

class tables {
 public:
  explicit tables(vocabulary& words) : words_(words) {}

  std::uint32_t empty() { return tables_.add(memory_store::record_table(1024)); }

  struct step {
    std::uint32_t next;
    std::uint32_t answer;  // A reply.
  };
  // `next_fence` is what a grant gets. Afterwards the table deletes what has expired, as the store lets it.
  step apply(std::uint32_t table, std::uint32_t command, int store_ticks, unsigned next_fence, bool has_room);

  // The reply to a find: what anybody would read of this key now.
  std::uint32_t look(std::uint32_t table, unsigned kind, int store_ticks);

  // As another process finds it that opens what is left of this one.
  std::uint32_t abandon_all(std::uint32_t table, int store_ticks);

  std::size_t size() const { return tables_.size(); }
  std::size_t steps() const { return steps_.size(); }

 private:
  vocabulary& words_;
  pool<memory_store::record_table> tables_;
  flat_map known_;
  flat_map looks_;
  std::deque<step> steps_;
};

}  // namespace onceward::model
