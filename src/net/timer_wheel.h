// The deadlines of one loop: a hierarchical timing wheel above one timer of the kernel.
//
// Time is counted in ticks of 1.024 ms. A level has 64 slots, each as long as the whole level below it; a node lies on
// the lowest level on which its tick and the current one differ, and moves down as its time draws near. The kernel's
// timer is touched when a deadline becomes the earliest of all and when it has gone off; a deadline that is armed and
// cancelled again in between costs a list insertion.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include <boost/asio/basic_waitable_timer.hpp>

#include "base/time.h"
#include "net/deadline.h"

namespace onceward::net::detail {

class timer_wheel {
 public:
  explicit timer_wheel(loop& owner);
  timer_wheel(const timer_wheel&) = delete;
  timer_wheel& operator=(const timer_wheel&) = delete;
  ~timer_wheel();

  void insert(deadline& what, base::moment when);

  // Moves an armed node to a time that is not before the one it has. False if it is, and nothing was changed.
  bool postpone(timer_node& node, base::moment when) const;

  // Takes an armed node out of its list.
  static void remove(timer_node& node);

 private:
  static constexpr unsigned slot_bits = 6;
  static constexpr unsigned slots = 1u << slot_bits;
  // Ticks have 42 bits, 142 years: a moment beyond that is as good as that.
  static constexpr unsigned levels = 7;
  static constexpr std::uint64_t tick_max = (std::uint64_t{1} << (slot_bits * levels)) - 1;

  using kernel_timer =
      boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>,
                                        boost::asio::io_context::executor_type>;

  struct level {
    std::uint64_t occupied = 0;  // A bit for each slot; may be set for one that has become empty, never the reverse.
    std::array<timer_node*, slots> heads{};
  };

  static void push(timer_node*& head, timer_node& node);
  std::uint64_t tick_of(base::moment when) const;
  // Into the slot of the time at which it is due.
  void place(timer_node& node);
  std::optional<std::uint64_t> next_tick();
  void advance(std::uint64_t tick);
  void fire(timer_node*& head);
  void wake_at(std::uint64_t tick);
  void on_wake();

  loop& loop_;
  kernel_timer kernel_timer_;
  std::array<level, levels> levels_;
  std::uint64_t current_ = 0;             // Every tick up to this one has been fired.
  std::uint64_t wake_tick_ = UINT64_MAX;  // What the kernel's timer is set to.
  bool advancing_ = false;
};

}  // namespace onceward::net::detail
