#include "stores/redis/succession_log.h"

#include <algorithm>
#include <utility>

namespace onceward::redis {

succession_log::part* succession_log::predecessor(const address& server, const server_facts& facts) {
  if (!is_cluster_) return parts_.empty() ? nullptr : &parts_.front();
  const auto find = [this](const auto& is_it) -> part* {
    const auto found = std::find_if(parts_.begin(), parts_.end(), is_it);
    return found == parts_.end() ? nullptr : &*found;
  };
  if (part* same = find([&](const part& each) { return each.known.id == facts.history; })) return same;
  if (part* before = find([&](const part& each) { return each.known.id == facts.history_before; })) return before;
  return find([&](const part& each) { return each.server == server; });
}

std::optional<succession_log::change> succession_log::connected(const address& server, const server_facts& facts) {
  part* before = predecessor(server, facts);
  if (before == nullptr) {
    if (parts_.size() < parts_max) parts_.push_back({server, {facts.history, facts.offset, facts.run_id}});
    return std::nullopt;
  }
  const part was = *before;
  const succession how = succession_of(was.known, facts);
  const bool goes_on = facts.history == was.known.id && how == succession::same;
  *before = {server, {facts.history, goes_on ? was.known.offset : facts.offset, facts.run_id}};
  const std::string both = to_text(was.server) + " to " + to_text(server);
  switch (how) {
    case succession::first:
    case succession::same:
      return std::nullopt;
    case succession::promoted:
      return change{both + ", which has all that is known to be acknowledged", false};
    case succession::restarted:
      return change{both + ", which began a history of its own", false};
    case succession::lacking:
      return change{both + ", which lacks some of what was acknowledged: its history goes to " +
                        std::to_string(facts.history == was.known.id ? facts.offset : facts.offset_shared - 1) +
                        ", and something was acknowledged at " + std::to_string(was.known.offset),
                    true};
  }
  return std::nullopt;
}

void succession_log::acknowledged(const std::string& history, std::int64_t offset) {
  for (part& each : parts_) {
    if (each.known.id == history) each.known.offset = std::max(each.known.offset, offset);
  }
}

}  // namespace onceward::redis
