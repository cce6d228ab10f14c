// What a store tells while its server is away: each reason once. A server that is tried at several addresses, over
// several connections, is refused for the same few reasons in turn, and a log that bounds how often an event is written
// must have room for the one that comes last.
#pragma once

#include <cstddef>
#include <set>
#include <string>

namespace onceward::server {

// Not for several threads at once.
class outage {
 public:
  // Reasons that are remembered. When there are more, all are news again.
  static constexpr std::size_t reasons_max = 64;

  // A connection was lost or refused. Whether this reason is to be told.
  bool is_news(const std::string& why);
  // The server is there. Whether there is an outage whose end is to be told.
  bool end();

 private:
  std::set<std::string> told_;
};

}  // namespace onceward::server
