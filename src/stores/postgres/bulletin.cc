#include "stores/postgres/bulletin.h"

#include <algorithm>
#include <utility>

#include "stores/postgres/wake_up_text.h"

namespace onceward::postgres {
namespace {

constexpr std::size_t keys_queued_max = 64 * keys_per_wake_up_max;

}  // namespace

bulletin::bulletin(const connection_settings& settings, listener told, std::function<base::moment()> now)
    : told_(std::move(told)), now_(std::move(now)), connection_(settings, {{statement::notify}, true}, *this) {}

void bulletin::tell(const record_key& key) {
  if (everything_) return;
  keys_.push_back(key);
  if (keys_.size() <= keys_queued_max) return;
  keys_.clear();
  everything_ = true;
}

void bulletin::work() {
  if (!connection_.can_send() || (keys_.empty() && !everything_)) return;
  if (std::exchange(everything_, false)) {
    under_way_ = everything;
    keys_.clear();
  } else {
    const std::size_t count = std::min(keys_.size(), keys_per_wake_up_max);
    under_way_ = wake_up_text(std::span(keys_).first(count));
    keys_.erase(keys_.begin(), keys_.begin() + static_cast<std::ptrdiff_t>(count));
  }
  parameters with;
  with.add(std::string_view(under_way_));
  connection_.add(statement::notify, with);
  connection_.send(now_());
}

// What was told while nobody listened here is not known. That holds for the first time, too: records are asked for, and
// waited for, as soon as another connection is there.
void bulletin::on_connected(const server_facts&) {
  told_({});
}

void bulletin::on_batch(batch_end end, std::vector<statement_result> results) {
  if (end == batch_end::rolled_back) return connection_.drop(results.front().error_text(), now_());
  under_way_.clear();
}

void bulletin::on_notification(std::string_view text) {
  told_(keys_in(text));
}

void bulletin::on_lost(const std::string&) {
  if (!under_way_.empty()) everything_ = true;
  under_way_.clear();
}

}  // namespace onceward::postgres
