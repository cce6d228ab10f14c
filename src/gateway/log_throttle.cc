#include "gateway/log_throttle.h"

#include <utility>

namespace onceward::gateway {

std::optional<std::uint64_t> log_throttle::admit(std::string_view event, base::moment now) {
  if (events_.size() >= events_max && events_.find(event) == events_.end()) event = "";
  auto found = events_.find(event);
  if (found == events_.end()) found = events_.emplace(event, history{now}).first;
  history& past = found->second;
  if (now - past.window_start >= window) {
    past.window_start = now;
    past.lines = 0;
  }
  if (past.lines == lines_per_window_max) {
    ++past.left_out;
    return std::nullopt;
  }
  ++past.lines;
  return std::exchange(past.left_out, 0);
}

}  // namespace onceward::gateway
