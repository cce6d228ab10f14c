#include "net/poller.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <system_error>

#include <sys/epoll.h>

#include "base/assert.h"
#include "net/send_batch.h"

namespace onceward::net::detail {
namespace {

// Asked for at once: so many requests are under way, with all that they touch.
constexpr int events_at_once = 32;

// Before the rest of the loop has its turn (deadlines, posts, connections that begin), it is asked so often whether
// there is more.
constexpr int askings_at_once = 4;

constexpr std::uint32_t all_events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

int make_set() {
  const int made = ::epoll_create1(EPOLL_CLOEXEC);
  if (made < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  return made;
}

}  // namespace

poller::poller(loop& owner) : loop_(owner), set_(owner.context().get_executor(), make_set()) {
  await();
}

std::optional<poller::place_number> poller::add(int descriptor, polled& who) {
  if (free_places_.empty()) {
    free_places_.push_back(static_cast<place_number>(places_.size()));
    places_.emplace_back();
  }
  const place_number where = free_places_.back();
  epoll_event wanted{};
  wanted.events = all_events;
  wanted.data.u64 = name_of(where);
  if (::epoll_ctl(set_.native_handle(), EPOLL_CTL_ADD, descriptor, &wanted) != 0) return std::nullopt;
  free_places_.pop_back();
  places_[where].who = &who;
  return where;
}

void poller::remove(place_number where) {
  place& left = places_[where];
  onceward_assert(left.who != nullptr);
  left.who = nullptr;
  ++left.life;
  free_places_.push_back(where);
}

void poller::recall(place_number where) {
  if (recalled_.empty()) loop_.post([this] { hand_out_recalled(); });
  recalled_.push_back(name_of(where));
}

polled* poller::find(std::uint64_t name) const {
  const place& there = places_[static_cast<std::uint32_t>(name)];
  return there.life == name >> 32 ? there.who : nullptr;
}

void poller::tell(std::uint64_t name) {
  if (polled* const who = find(name)) who->on_events();
}

void poller::await() {
  set_.async_wait(descriptor_set::wait_read, [this](const boost::system::error_code& error) {
    if (!error) hand_out();
  });
}

void poller::hand_out() {
  for (int i = 0; i < askings_at_once && recalled_.empty(); ++i) {
    if (!hand_out_some()) return await();
  }
  // There may be more. It is posted, so that the turn of the loop goes on; by way of await() it would also take twice
  // the system calls.
  loop_.post([this] { hand_out(); });
}

// False if there was nothing.
bool poller::hand_out_some() {
  std::array<epoll_event, events_at_once> memory;
  const int count = ::epoll_wait(set_.native_handle(), memory.data(), events_at_once, 0);
  const auto events = std::span(memory).first(static_cast<std::size_t>(std::max(count, 0)));
  for (const epoll_event& each : events) {
    if (polled* const who = find(each.data.u64)) who->note_events(each.events);
  }
  up_to_date_ = events.size() < memory.size();  // Otherwise the kernel may have more to say.
  loop_.sends().begin();
  for (const epoll_event& each : events) {
    loop_.refresh_now();
    tell(each.data.u64);
  }
  up_to_date_ = false;  // Who gets bytes may be quick.
  loop_.sends().end();
  return !events.empty();
}

void poller::hand_out_recalled() {
  recalled_now_.swap(recalled_);
  loop_.sends().begin();
  for (const std::uint64_t name : recalled_now_)
    tell(name);
  loop_.sends().end();
  recalled_now_.clear();
}

}  // namespace onceward::net::detail
