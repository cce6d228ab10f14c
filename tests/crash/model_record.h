// What a store must say about one key: the rules of core/record.h with nothing around them that could fail.
//
// Two things are the store's to choose, and the model takes them over where they are allowed: the fence of a grant,
// which must be larger than every one told before, and, after a restart, since when a claim that nobody holds is
// unknown.
#pragma once

#include <optional>

#include "core/record.h"
#include "onceward/store.h"

namespace onceward::crash {

class model_record {
 public:
  // What the store must answer to a command about this key. `is` is what it answered; a failure in case nobody knows.
  reply apply(const command& what, wall_time now, const reply& is);

  // What it must say to a find.
  reply state_at(wall_time now) const;
  std::optional<core::record> at(wall_time now) const;

  // The store was closed, or its process ended, and was opened at `now`. `is` is what it says to a find.
  void reopen(wall_time now, const reply& is);

 private:
  reply settle(core::decision decided);

  std::optional<core::record> kept_;
  fence last_fence_{0};           // That was told, for this key.
  bool fence_is_untold_ = false;  // Of the record as it is kept.
  bool ended_by_itself_ = false;  // Unknown, without a command having said so.
};

}  // namespace onceward::crash
