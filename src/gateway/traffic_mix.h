// Whether nearly everybody who asks a worker has to wait for the disk anyway.
//
// A loop that syncs by itself holds up whoever needs no record: requests without a key, replays, refusals. So it is not
// to, unless they are few.
#pragma once

#include <cstdint>

namespace onceward::gateway {

class traffic_mix {
 public:
  // So many answers are looked at together, before the next ones count.
  static constexpr std::uint64_t looked_at = 64;

  // How many answers there have been in all, and how many of them to first executions. Called often.
  void note(std::uint64_t answers, std::uint64_t executions) {
    if (answers - answers_before_ < looked_at) return;
    // Nine of ten.
    is_nearly_all_executions_ = 10 * (executions - executions_before_) >= 9 * (answers - answers_before_);
    answers_before_ = answers;
    executions_before_ = executions;
  }

  // Of those that were last looked at together; not before there have been enough.
  bool is_nearly_all_executions() const { return is_nearly_all_executions_; }

 private:
  std::uint64_t answers_before_ = 0;
  std::uint64_t executions_before_ = 0;
  bool is_nearly_all_executions_ = false;
};

}  // namespace onceward::gateway
