#include "stores/redis/atlas.h"

#include <algorithm>
#include <utility>

namespace onceward::redis {
namespace {

constexpr std::chrono::milliseconds interval_min{100};
constexpr std::chrono::milliseconds interval_max{5'000};

}  // namespace

atlas::atlas(const connection_settings& settings, std::function<void(slot_table table)> changed,
             std::function<base::moment()> now)
    : changed_(std::move(changed)), now_(std::move(now)), connection_(settings, {.carries_records = false}, *this) {}

base::moment atlas::due() const {
  if (!connection_.can_send()) return base::moment::max();
  return wanted_ ? not_before_ : next_;
}

void atlas::work() {
  const base::moment now = now_();
  if (now < due()) return;
  wanted_ = false;
  not_before_ = now + interval_min;
  next_ = now + interval_max;
  requests ask;
  ask.add("CLUSTER", "SLOTS");
  connection_.send(ask, now);
}

void atlas::on_connected(const server_facts&) {
  wanted_ = true;
}

void atlas::on_replies(std::vector<value> replies) {
  slot_table table;
  if (!table.read(replies.front(), connection_.server())) {
    return connection_.drop("the node does not tell who has the slots", now_());
  }
  changed_(std::move(table));
}

void atlas::on_lost(const std::string&) {
  wanted_ = true;
}

}  // namespace onceward::redis
