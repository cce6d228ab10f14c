#include "net/timer_wheel.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"

namespace onceward::net::detail {
namespace {

using std::chrono::microseconds;
constexpr std::uint64_t tick_us = 1024;

std::uint64_t whole_ticks(base::moment when) {
  return static_cast<std::uint64_t>(when.time_since_epoch().count()) / tick_us;
}

// The first tick that begins at or after the moment, so that a deadline is never early.
std::uint64_t tick_after(base::moment when, std::uint64_t tick_max) {
  const auto count = when.time_since_epoch().count();
  if (count <= 0) return 0;
  const auto us = static_cast<std::uint64_t>(count);
  return std::min(us / tick_us + (us % tick_us != 0 ? 1 : 0), tick_max);
}

}  // namespace

timer_wheel::timer_wheel(loop& owner)
    : loop_(owner), kernel_timer_(owner.context().get_executor()), current_(whole_ticks(owner.now())) {}

timer_wheel::~timer_wheel() {
  for (const level& one : levels_) {
    for (const timer_node* head : one.heads)
      onceward_assert(head == nullptr);
  }
}

void timer_wheel::push(timer_node*& head, timer_node& node) {
  node.next = head;
  node.link = &head;
  if (head != nullptr) head->link = &node.next;
  head = &node;
}

void timer_wheel::remove(timer_node& node) {
  *node.link = node.next;
  if (node.next != nullptr) node.next->link = node.link;
  node.next = nullptr;
  node.link = nullptr;
}

std::uint64_t timer_wheel::tick_of(base::moment when) const {
  return std::max(tick_after(when, tick_max), current_ + 1);
}

bool timer_wheel::postpone(timer_node& node, base::moment when) const {
  const std::uint64_t due = tick_of(when);
  if (due < node.tick) return false;
  node.due = due;
  return true;
}

void timer_wheel::insert(deadline& what, base::moment when) {
  what.due = tick_of(when);
  place(what);
  if (what.tick < wake_tick_ && !advancing_) wake_at(what.tick);
}

void timer_wheel::place(timer_node& node) {
  node.tick = node.due;
  onceward_assert(node.tick > current_ || advancing_);
  const auto differing = (node.tick ^ current_) | (slots - 1);
  const unsigned index = (static_cast<unsigned>(std::bit_width(differing)) - 1) / slot_bits;
  const auto slot = static_cast<unsigned>(node.tick >> (index * slot_bits)) & (slots - 1);
  push(levels_[index].heads[slot], node);
  levels_[index].occupied |= std::uint64_t{1} << slot;
}

// The beginning of the earliest occupied slot. What lies on a level is later than all below it, and in slots behind the
// current one, because the bits above are the current tick's own.
std::optional<std::uint64_t> timer_wheel::next_tick() {
  for (unsigned index = 0; index < levels; ++index) {
    level& at = levels_[index];
    while (at.occupied != 0) {
      const auto slot = static_cast<unsigned>(std::countr_zero(at.occupied));
      if (at.heads[slot] == nullptr) {
        at.occupied &= at.occupied - 1;
        continue;
      }
      const unsigned shift = index * slot_bits;
      const std::uint64_t above = current_ >> (shift + slot_bits) << (shift + slot_bits);
      return above | (std::uint64_t{slot} << shift);
    }
  }
  return std::nullopt;
}

// Moves to `tick`, which no armed deadline lies before: fires what is due there and brings down what begins there.
void timer_wheel::advance(std::uint64_t tick) {
  onceward_assert(tick > current_);
  current_ = tick;
  for (unsigned index = levels; index-- > 0;) {
    const unsigned shift = index * slot_bits;
    if ((tick & ((std::uint64_t{1} << shift) - 1)) != 0) continue;
    const auto slot = static_cast<unsigned>(tick >> shift) & (slots - 1);
    timer_node* head = levels_[index].heads[slot];
    if (head == nullptr) continue;
    head->link = &head;
    levels_[index].heads[slot] = nullptr;
    if (index == 0) {
      fire(head);
      continue;
    }
    while (head != nullptr) {
      timer_node& node = *head;
      remove(node);
      place(node);
    }
  }
}

void timer_wheel::fire(timer_node*& head) {
  while (head != nullptr) {
    auto& due = static_cast<deadline&>(*head);
    remove(due);
    if (due.due > current_) {
      place(due);
    } else {
      due.on_due_();
    }
  }
}

void timer_wheel::wake_at(std::uint64_t tick) {
  wake_tick_ = tick;
  kernel_timer_.expires_at(
      std::chrono::steady_clock::time_point(microseconds(static_cast<std::int64_t>(tick * tick_us))));
  kernel_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) on_wake();
  });
}

void timer_wheel::on_wake() {
  loop_.refresh_now();
  wake_tick_ = UINT64_MAX;
  advancing_ = true;
  const std::uint64_t now = whole_ticks(loop_.now());
  std::optional<std::uint64_t> next = next_tick();
  while (next && *next <= now) {
    advance(*next);
    next = next_tick();
  }
  current_ = std::max(current_, now);
  advancing_ = false;
  if (next) wake_at(*next);
}

}  // namespace onceward::net::detail
