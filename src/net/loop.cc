#include "net/loop.h"

#include <chrono>
#include <csignal>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "net/poller.h"
#include "net/send_batch.h"
#include "net/timer_wheel.h"

namespace onceward::net {
namespace {

// Asio's hint that one thread runs the context: it then keeps its queues to itself where it can.
constexpr int one_thread = 1;

// A batch of sends cannot say MSG_NOSIGNAL: what is sent to a connection that is gone ends with EPIPE, and without a
// signal that would end the process.
void block_sigpipe() {
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
}

// One of them hands out what up to 128 connections have.
constexpr int handlers_per_turn = 8;

}  // namespace

loop::loop() : context_(one_thread) {
  refresh_now();
  timers_ = std::make_unique<detail::timer_wheel>(*this);
  sends_ = std::make_unique<detail::send_batch>();
  connections_ = std::make_unique<detail::poller>(*this);
}

loop::~loop() = default;

void loop::run() {
  block_sigpipe();
  context_.restart();
  const auto guard = boost::asio::make_work_guard(context_);
  while (context_.run_one() != 0)
    look_whether_turn_ends();
  if (std::exchange(handlers_of_turn_, 0) != 0) end_turn(turn_end::cut_short);
}

// Whatever is ready has been posted: what Asio has for others (connections that begin or are made) does not matter
// here.
void loop::look_whether_turn_ends() {
  ++handlers_of_turn_;
  const bool nothing_left = posted_.load(std::memory_order_relaxed) == 0;
  if (!nothing_left && handlers_of_turn_ < handlers_per_turn) return;
  handlers_of_turn_ = 0;
  end_turn(nothing_left ? turn_end::nothing_left : turn_end::cut_short);
}

void loop::stop() {
  context_.stop();
}

void loop::post(callback work) {
  posted_.fetch_add(1, std::memory_order_relaxed);
  boost::asio::post(context_, [this, run_work = std::move(work)] {
    posted_.fetch_sub(1, std::memory_order_relaxed);
    refresh_now();
    sends_->begin();
    run_work();
    sends_->end();
  });
}

base::moment loop::read_clock() const {
  return base::moment(
      std::chrono::duration_cast<base::moment::duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

void loop::refresh_now() {
  now_ = read_clock();
}

}  // namespace onceward::net
