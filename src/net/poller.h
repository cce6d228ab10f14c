// Tells connections what the kernel has to say of them, at the price of no system call for each wait.
//
// Asio asks the kernel anew (epoll_ctl) for every wait on a socket. Connections wait once or twice for every message,
// so theirs are registered once, for everything and edge-triggered, in a set of their own, and the loop waits for the
// set.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "net/loop.h"

namespace onceward::net::detail {

// Whoever is told, on the loop.
class polled {
 public:
  // What has happened, as epoll_wait(2) gives it. Everybody's is noted before anybody is told, and nothing else is done
  // here.
  virtual void note_events(std::uint32_t events) = 0;
  // Behind that, or after poller::recall(). May remove itself and be destroyed.
  virtual void on_events() = 0;

 protected:
  ~polled() = default;
};

// On the loop, all of it.
class poller {
 public:
  using place_number = std::uint32_t;

  explicit poller(loop& owner);
  poller(const poller&) = delete;
  poller& operator=(const poller&) = delete;

  // Nothing if the kernel has no room for it.
  [[nodiscard]] std::optional<place_number> add(int descriptor, polled& who);
  // Nothing is told of it any more. The descriptor is closed next, which takes it out of the kernel's set.
  void remove(place_number where);

  // Calls whoever is there once more, later.
  void recall(place_number where);

  // Everybody has noted all that had happened when the kernel was asked last, and the loop is at what it told then.
  bool is_up_to_date() const { return up_to_date_; }

 private:
  using descriptor_set = boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

  // An event may be under way to somebody who has gone: places are numbered, and each of their lives is.
  struct place {
    polled* who = nullptr;
    std::uint32_t life = 0;
  };
  std::uint64_t name_of(place_number where) const { return std::uint64_t{places_[where].life} << 32 | where; }
  polled* find(std::uint64_t name) const;  // Null if it has gone.
  void tell(std::uint64_t name);

  void await();
  void hand_out();
  bool hand_out_some();
  void hand_out_recalled();

  loop& loop_;
  descriptor_set set_;
  std::vector<place> places_;
  std::vector<place_number> free_places_;
  bool up_to_date_ = false;
  std::vector<std::uint64_t> recalled_;
  std::vector<std::uint64_t> recalled_now_;  // Kept for its memory.
};

}  // namespace onceward::net::detail
