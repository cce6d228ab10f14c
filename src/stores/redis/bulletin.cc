#include "stores/redis/bulletin.h"

#include <utility>

#include "base/assert.h"
#include "stores/redis/commands.h"

namespace onceward::redis {

// Of a cluster any node will do: what one is told, all of them pass on.
bulletin::bulletin(const connection_settings& settings, std::string sender, listener told)
    : sender_(std::move(sender)),
      told_(std::move(told)),
      connection_(settings, {.carries_records = settings.where.kind != topology::cluster, .listens = true}, *this) {}

void bulletin::work() {
  if (heard_.empty()) return;
  told_(heard_);
  heard_.clear();
}

// What was told while nobody listened here is not known. That holds for the first time, too: records are asked for, and
// waited for, as soon as another connection is there.
void bulletin::on_connected(const server_facts&) {
  told_({});
}

void bulletin::on_replies(std::vector<value>) {
  onceward_assert(false && "nothing is asked here");
}

void bulletin::on_message(std::string_view word) {
  for (const record_key& each : keys_told(word, sender_))
    heard_.push_back(each);
}

void bulletin::on_lost(const std::string&) {}

}  // namespace onceward::redis
