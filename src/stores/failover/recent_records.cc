#include "stores/failover/recent_records.h"

#include <algorithm>
#include <iterator>
#include <variant>

namespace onceward::failover {
namespace {

// With each acknowledgement so many old ones are looked at, which is more than one is added.
constexpr int looked_at_max = 4;

}  // namespace

recent_records::recent_records(std::chrono::milliseconds loss_window, std::size_t records_max)
    : loss_window_(loss_window), records_max_(records_max) {}

void recent_records::learn(const command& asked, const reply& answer, base::moment now) {
  std::visit(
      [&](const auto& each) {
        if constexpr (requires { learn_from(each, answer, now); }) learn_from(each, answer, now);
      },
      asked);
}

void recent_records::learn_from(const claim& asked, const reply& answer, base::moment now) {
  const auto* granted = std::get_if<claim_granted>(&answer);
  if (granted == nullptr) return;
  remember({.key = asked.key,
            .attempt = asked.attempt,
            .attempt_number = granted->attempt_number,
            .fingerprint = asked.fingerprint,
            .lease = asked.lease,
            .retention = asked.retention,
            .acknowledged = recent_record::state::in_flight,
            .at = now,
            .expires = now + granted->lease_left + asked.retention},
           now);
}

void recent_records::learn_from(const renew& asked, const reply& answer, base::moment now) {
  if (std::holds_alternative<fenced>(answer)) return forget(asked.key);
  const recent_record* known = of(asked.key, asked.attempt);
  if (known == nullptr || !std::holds_alternative<applied>(answer)) return;
  recent_record renewed = *known;
  renewed.at = now;
  renewed.expires = now + asked.lease + renewed.retention;
  remember(std::move(renewed), now);
}

void recent_records::learn_from(const complete& asked, const reply& answer, base::moment now) {
  if (std::holds_alternative<fenced>(answer)) return forget(asked.key);
  if (!std::holds_alternative<applied>(answer)) return;
  const recent_record* known = of(asked.key, asked.attempt);
  recent_record ended = known != nullptr ? *known : recent_record{.key = asked.key, .attempt = asked.attempt};
  if (const auto* done = std::get_if<outcome_completed>(&asked.outcome)) {
    ended.acknowledged = recent_record::state::completed;
    ended.retention = std::max(done->retention, done->retention_tombstone);
  } else {
    ended.acknowledged = recent_record::state::unknown;
    ended.retention = std::get<outcome_unknown>(asked.outcome).retention;
  }
  ended.at = now;
  ended.expires = now + ended.retention;
  remember(std::move(ended), now);
}

// What is released may be run again: there is nothing to lose.
void recent_records::learn_from(const release& asked, const reply& answer, base::moment) {
  if (!std::holds_alternative<store_failure>(answer)) forget(asked.key);
}

void recent_records::remember(recent_record what, base::moment now) {
  const auto [found, is_new] = places_.try_emplace(what.key);
  if (is_new) {
    in_order_.push_back(std::move(what));
    found->second = std::prev(in_order_.end());
  } else {
    *found->second = std::move(what);
    in_order_.splice(in_order_.end(), in_order_, found->second);
  }
  forget_old(now);
}

recent_record* recent_records::of(const record_key& key, const attempt_id& attempt) {
  const auto found = places_.find(key);
  return found == places_.end() || found->second->attempt != attempt ? nullptr : &*found->second;
}

void recent_records::forget(const record_key& key) {
  const auto found = places_.find(key);
  if (found == places_.end()) return;
  in_order_.erase(found->second);
  places_.erase(found);
}

// An attempt that runs for longer than the window makes way for what is behind it.
void recent_records::forget_old(base::moment now) {
  for (int looked_at = 0; looked_at < looked_at_max && !in_order_.empty(); ++looked_at) {
    const recent_record& oldest = in_order_.front();
    if (places_.size() <= records_max_) {
      if (oldest.at + loss_window_ >= now) return;
      const bool runs = oldest.acknowledged == recent_record::state::in_flight && oldest.at + oldest.lease > now;
      if (runs) {
        in_order_.splice(in_order_.end(), in_order_, in_order_.begin());
        continue;
      }
    }
    places_.erase(oldest.key);
    in_order_.pop_front();
  }
}

std::vector<recent_record> recent_records::take_all(base::moment now) {
  std::vector<recent_record> taken;
  taken.reserve(places_.size());
  for (recent_record& each : in_order_) {
    if (each.expires > now) taken.push_back(std::move(each));
  }
  in_order_.clear();
  places_.clear();
  return taken;
}

}  // namespace onceward::failover
