// Replies on their way out of a store, sorted by sink, so that each sink is called once for a whole group of commands.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "onceward/store.h"

namespace onceward::core {

class reply_groups {
 public:
  void add(reply_sink& sink, std::uint64_t tag, reply answer) {
    group_of(sink).replies.push_back({tag, std::move(answer)});
  }

  // Calls each sink that has replies, then is empty again. Keeps its memory: a store has few sinks, one for each event
  // loop.
  void deliver() {
    for (group& each : groups_) {
      if (each.replies.empty()) continue;
      each.sink->deliver(each.replies);
      each.replies.clear();
    }
    if (groups_.size() > sinks_remembered_max) groups_.clear();
  }

 private:
  // A sink may be gone once its last command is answered, so its address is only compared, and few are remembered.
  static constexpr std::size_t sinks_remembered_max = 64;

  struct group {
    reply_sink* sink;
    std::vector<tagged_reply> replies;
  };

  group& group_of(reply_sink& sink) {
    const auto known =
        std::find_if(groups_.begin(), groups_.end(), [&](const group& each) { return each.sink == &sink; });
    if (known != groups_.end()) return *known;
    return groups_.emplace_back(group{&sink, {}});
  }

  std::vector<group> groups_;
};

}  // namespace onceward::core
