#include "stores/failover/guarded_store.h"

#include <utility>
#include <variant>

#include "base/assert.h"

namespace onceward::failover {
namespace {

// Records that are looked for at a time, beside those that somebody waits for.
constexpr std::size_t under_way_max = 256;

const record_key* key_of(const command& what) {
  return std::visit(
      [](const auto& each) -> const record_key* {
        if constexpr (requires { each.key; })
          return &each.key;
        else
          return nullptr;
      },
      what);
}

}  // namespace

guarded_store::guarded_store(options chosen)
    : options_(std::move(chosen)), recent_(options_.loss_window, options_.records_max) {}

guarded_store::~guarded_store() {
  {
    const std::lock_guard hold(mutex_);
    closing_ = true;
    for (auto& [key, each] : suspects_)
      give_up_step(each, store_failure{certainty::definite, errc::closed});
    replies_.deliver();
  }
  inner_.reset();
  // Some were about to be submitted again.
  for (const auto& [tag, each] : outstanding_) {
    if (each.sink != nullptr) replies_.add(*each.sink, each.tag, store_failure{certainty::indefinite, errc::closed});
  }
  replies_.deliver();
}

void guarded_store::guard(std::unique_ptr<store> inner) {
  onceward_assert(inner_ == nullptr);
  inner_ = std::move(inner);
}

// ---- Commands ------------------------------------------------------------------------------------------------------

void guarded_store::submit(command what, reply_sink& sink, std::uint64_t tag) {
  if (!options_.restores) return inner_->submit(std::move(what), sink, tag);
  std::unique_lock hold(mutex_);
  const record_key* key = key_of(what);
  const auto found = key == nullptr ? suspects_.end() : suspects_.find(*key);
  if (found == suspects_.end()) {
    pass_on({std::move(what), &sink, tag});
  } else {
    found->second.held.push_back({std::move(what), &sink, tag});
    begin_step(found->second);
  }
  submit_outgoing(std::move(hold));
}

void guarded_store::pass_on(asked what) {
  what.was_submitted = true;
  out_.push_back({what.what, ++last_tag_});
  outstanding_.emplace(last_tag_, std::move(what));
}

// One thread at a time, without the lock. What a reply from inside submit() adds is submitted here, not from inside it.
void guarded_store::submit_outgoing(std::unique_lock<std::mutex> hold) {
  if (std::exchange(submits_, true)) return;
  while (!out_.empty() && !closing_) {
    std::vector<outgoing> out = std::exchange(out_, {});
    hold.unlock();
    for (outgoing& each : out)
      inner_->submit(std::move(each.what), *this, each.tag);
    hold.lock();
  }
  submits_ = false;
}

void guarded_store::deliver(std::span<tagged_reply> replies) {
  std::unique_lock hold(mutex_);
  for (tagged_reply& each : replies) {
    const auto found = outstanding_.find(each.tag);
    onceward_assert(found != outstanding_.end());
    asked from = std::move(found->second);
    outstanding_.erase(found);
    settle(std::move(from), std::move(each.value));
  }
  replies_.deliver();
  submit_outgoing(std::move(hold));
}

void guarded_store::settle(asked from, reply value) {
  const record_key* key = key_of(from.what);
  if (from.sink == nullptr) return take_step(*key, value);
  const auto found = key == nullptr ? suspects_.end() : suspects_.find(*key);
  if (found != suspects_.end() && !closing_ && !std::holds_alternative<store_failure>(value)) {
    // Of the new server, which was asked too early. Commands are repeatable.
    found->second.held.push_back(std::move(from));
    return begin_step(found->second);
  }
  recent_.learn(from.what, value, options_.now());
  replies_.add(*from.sink, from.tag, std::move(value));
}

// ---- Failovers -----------------------------------------------------------------------------------------------------

void guarded_store::server_changed() {
  std::unique_lock hold(mutex_);
  ++failovers_;
  if (!options_.restores) return;
  for (recent_record& each : recent_.take_all(options_.now())) {
    const record_key key = each.key;
    wait(key, suspects_.try_emplace(key, suspect{.how = restoration(std::move(each)), .held = {}}).first->second);
  }
  begin_waiting();
  submit_outgoing(std::move(hold));
}

void guarded_store::reconnected() {
  std::unique_lock hold(mutex_);
  begin_waiting();
  submit_outgoing(std::move(hold));
}

void guarded_store::begin_waiting() {
  while (under_way_ < under_way_max && !waiting_.empty()) {
    const record_key key = waiting_.front();
    waiting_.pop_front();
    const auto found = suspects_.find(key);
    if (found == suspects_.end()) continue;
    found->second.waits = false;
    begin_step(found->second);
  }
}

void guarded_store::wait(const record_key& key, suspect& of) {
  if (!std::exchange(of.waits, true)) waiting_.push_back(key);
}

void guarded_store::begin_step(suspect& of) {
  if (std::exchange(of.under_way, true)) return;
  ++under_way_;
  pass_on({of.how.next(), nullptr, 0});
}

void guarded_store::take_step(const record_key& key, const reply& value) {
  const auto found = suspects_.find(key);
  onceward_assert(found != suspects_.end() && found->second.under_way);
  suspect& of = found->second;
  of.under_way = false;
  --under_way_;
  std::vector<attempt_id> held;
  for (const asked& each : of.held) {
    if (const auto* claimed = std::get_if<claim>(&each.what)) held.push_back(claimed->attempt);
  }
  switch (of.how.take(value, held)) {
    case restoration::verdict::goes_on:
      if (!closing_) begin_step(of);
      return;
    case restoration::verdict::failed:
      wait(key, of);
      return give_up_step(of, value);
    case restoration::verdict::done:
      break;
  }
  suspect done = std::move(of);
  suspects_.erase(found);
  if (done.how.was_lost()) {
    ++records_lost_;
    if (options_.tell_lost) options_.tell_lost(key);
  }
  if (const recent_record* remains = done.how.remains()) recent_.remember(*remains, options_.now());
  for (asked& each : done.held)
    pass_on(std::move(each));
  if (!closing_) begin_waiting();
}

// Whoever waits for it hears what became of it: what was never sent surely had no effect.
void guarded_store::give_up_step(suspect& of, const reply& failure) {
  const errc reason = std::get<store_failure>(failure).reason;
  for (const asked& each : std::exchange(of.held, {})) {
    const certainty effect = each.was_submitted ? certainty::indefinite : certainty::definite;
    replies_.add(*each.sink, each.tag, store_failure{effect, reason});
  }
}

store_statistics guarded_store::statistics() const {
  store_statistics all = inner_->statistics();
  const std::lock_guard hold(mutex_);
  all.failovers = failovers_;
  all.records_lost = records_lost_;
  return all;
}

}  // namespace onceward::failover
