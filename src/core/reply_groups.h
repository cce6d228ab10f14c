// Replies on their way out of a store, sorted by sink, so that each sink is called once for a whole group of commands.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "onceward/store.h"

namespace onceward::core {

class reply_groups {
 public:
  // `answer` is a reply, or one of the kinds of replies.
  template <typename Answer>
  void add(reply_sink& sink, std::uint64_t tag, Answer&& answer) {
    group_of(sink).replies.emplace_back(tag, std::forward<Answer>(answer));
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
    for (group& each : groups_) {
      if (each.sink == &sink) return each;
    }
    return groups_.emplace_back(group{&sink, {}});
  }

  std::vector<group> groups_;
};

}  // namespace onceward::core
