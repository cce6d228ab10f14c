#include "stores/server/outage.h"

#include <utility>

namespace onceward::server {

bool outage::is_news(const std::string& why) {
  if (told_.size() >= reasons_max && told_.find(why) == told_.end()) told_.clear();
  return told_.insert(why).second;
}

bool outage::end() {
  return !std::exchange(told_, {}).empty();
}

}  // namespace onceward::server
