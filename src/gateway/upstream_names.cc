#include "gateway/upstream_names.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace onceward::gateway {
namespace {

// The system's resolver does not tell how long an answer is good for.
constexpr std::chrono::seconds look_up_interval{30};
constexpr std::chrono::seconds look_up_interval_after_failure{2};

}  // namespace

upstream_names::upstream_names(net::loop& loop, std::span<const upstream_address> upstreams, logger& log,
                               handler on_addresses)
    : loop_(loop), log_(log), on_addresses_(std::move(on_addresses)), resolver_(loop) {
  for (std::size_t i = 0; i < upstreams.size(); ++i)
    names_.push_back(std::make_unique<name>(loop, upstreams[i], [this, i] { look_up(i); }));
}

void upstream_names::start() {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    name& each = *names_[i];
    if (const auto plain = net::parse_address(each.host, each.port)) {
      each.answered = true;
      on_addresses_(i, {*plain});
    } else {
      look_up(i);
    }
  }
}

bool upstream_names::unanswered() const {
  return std::any_of(names_.begin(), names_.end(), [](const auto& each) { return !each->answered; });
}

void upstream_names::look_up(std::size_t index) {
  const name& what = *names_[index];
  resolver_.resolve(what.host, what.port,
                    [this, index](result<std::vector<net::address>> found) { answered(index, found); });
}

void upstream_names::answered(std::size_t index, const result<std::vector<net::address>>& found) {
  name& what = *names_[index];
  const bool first = !std::exchange(what.answered, true);
  what.next.arm(loop_.now() + (found ? look_up_interval : look_up_interval_after_failure));
  if (found) return on_addresses_(index, *found);
  log_.warning("upstream-name-failed", {{"host", what.host}, {"reason", to_string(found.error())}});
  if (first && on_failed) on_failed();
}

}  // namespace onceward::gateway
