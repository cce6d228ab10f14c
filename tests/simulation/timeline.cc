#include "tests/simulation/timeline.h"

#include <cstdio>

#include "base/checksum.h"

namespace onceward::simulation {

void timeline::mix(std::string_view text) {
  mix(base::checksum(text));
}

void timeline::begin_line(base::moment when) {
  char text[32];
  std::snprintf(text, sizeof text, "%12.3f ms  ", static_cast<double>(when.time_since_epoch().count()) / 1000.0);
  lines_.emplace_back(text);
}

}  // namespace onceward::simulation
