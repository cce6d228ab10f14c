#include "collecting_sink.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace onceward::conformance {
namespace {

// Long enough for any machine; a store that does not answer is broken, and every later test would hang on it.
constexpr std::chrono::seconds patience{60};

}  // namespace

void collecting_sink::deliver(std::span<tagged_reply> replies) {
  const std::lock_guard hold(mutex_);
  if (replies.empty()) ++empty_deliveries_;
  for (tagged_reply& each : replies) {
    const auto asked = answered_.find(each.tag);
    if (asked == answered_.end() || asked->second) {
      ++unexpected_;
      continue;
    }
    asked->second = true;
    ++answered_count_;
    replies_.emplace(each.tag, std::move(each.value));
  }
  // Under the lock: a waiter that has its last reply may end the sink's life.
  arrived_.notify_all();
}

reply collecting_sink::ask(store& asked, command what) {
  return wait(submit(asked, std::move(what)));
}

std::uint64_t collecting_sink::submit(store& asked, command what) {
  const std::uint64_t tag = next_tag();
  asked.submit(std::move(what), *this, tag);
  return tag;
}

std::uint64_t collecting_sink::gather(store& asked, command what) {
  const std::uint64_t tag = next_tag();
  asked.gather(std::move(what), *this, tag);
  return tag;
}

std::uint64_t collecting_sink::next_tag() {
  const std::lock_guard hold(mutex_);
  answered_.emplace(++last_tag_, false);
  return last_tag_;
}

reply collecting_sink::wait(std::uint64_t tag) {
  std::unique_lock hold(mutex_);
  if (!arrived_.wait_for(hold, patience, [&] { return replies_.contains(tag); })) {
    std::fprintf(stderr, "the store did not answer a command within %lld s\n",
                 static_cast<long long>(patience.count()));
    std::abort();
  }
  return std::move(replies_.extract(tag).mapped());
}

std::vector<reply> collecting_sink::ask_all(store& asked, const std::vector<command>& what) {
  std::vector<std::uint64_t> tags;
  for (const command& each : what)
    tags.push_back(submit(asked, each));
  std::vector<reply> replies;
  for (const std::uint64_t tag : tags)
    replies.push_back(wait(tag));
  return replies;
}

std::size_t collecting_sink::answered() const {
  const std::lock_guard hold(mutex_);
  return answered_count_;
}

std::size_t collecting_sink::unexpected() const {
  const std::lock_guard hold(mutex_);
  return unexpected_;
}

std::size_t collecting_sink::empty_deliveries() const {
  const std::lock_guard hold(mutex_);
  return empty_deliveries_;
}

}  // namespace onceward::conformance
