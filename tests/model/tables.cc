#include "tests/model/tables.h"

#include "base/assert.h"

namespace onceward::model {
namespace {

// As many as a command of the memory store deletes by the way.
constexpr std::size_t expired_by_the_way_max = 4;

wall_time store_time(int ticks) {
  return wall_time{std::chrono::hours{1'000}} + tick * ticks;
}

// The store's time goes into a memo's key as eight bits.
std::uint64_t bits_of(int ticks) {
  onceward_assert(ticks > -64 && ticks < 192);
  return static_cast<std::uint64_t>(ticks + 64);
}

}  // namespace

tables::step tables::apply(std::uint32_t table, std::uint32_t command, int store_ticks, unsigned next_fence,
                           bool has_room) {
  onceward_assert(table < 1u << 26 && command < 1u << 24 && next_fence < 16);
  const std::uint64_t question = std::uint64_t{table} << 37 | std::uint64_t{command} << 13 | bits_of(store_ticks) << 5 |
                                 std::uint64_t{next_fence} << 1 | (has_room ? 1 : 0);
  if (const std::uint32_t* known = known_.find(question)) return steps_[*known];

  memory_store::record_table asked = tables_[table];
  const wall_time now = store_time(store_ticks);
  const reply answer = std::visit(
      [&]<typename Command>(const Command& what) -> reply {
        if constexpr (std::is_same_v<Command, claim>) {
          return asked.apply(what, now, fence{next_fence}, has_room);
        } else if constexpr (std::is_same_v<Command, list_unknown> || std::is_same_v<Command, purge>) {
          onceward_unreachable("no exchange submits this");
        } else {
          return asked.apply(what, now);
        }
      },
      words_.command_of(command));
  asked.expire(now, expired_by_the_way_max);
  const step made{tables_.add(asked), words_.add(answer)};
  known_.insert(question, static_cast<std::uint32_t>(steps_.size()));
  return steps_.emplace_back(made);
}

std::uint32_t tables::look(std::uint32_t table, unsigned kind, int store_ticks) {
  const std::uint64_t question = std::uint64_t{table} << 12 | std::uint64_t{kind} << 8 | bits_of(store_ticks);
  if (const std::uint32_t* known = looks_.find(question)) return *known;
  memory_store::record_table asked = tables_[table];
  const std::uint32_t answer = words_.add(asked.apply(find{words_.kind(kind).record}, store_time(store_ticks)));
  looks_.insert(question, answer);
  return answer;
}

std::uint32_t tables::abandon_all(std::uint32_t table, int store_ticks) {
  memory_store::record_table left = tables_[table];
  memory_store::record_table_access::abandon_all(left, store_time(store_ticks));
  return tables_.add(left);
}

}  // namespace onceward::model
