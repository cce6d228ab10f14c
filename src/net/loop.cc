#include "net/loop.h"

#include <chrono>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "net/poller.h"
#include "net/timer_wheel.h"

namespace onceward::net {
namespace {

// Asio's hint that one thread runs the context: it then keeps its queues to itself where it can.
constexpr int one_thread = 1;

}  // namespace

loop::loop() : context_(one_thread) {
  refresh_now();
  timers_ = std::make_unique<detail::timer_wheel>(*this);
  connections_ = std::make_unique<detail::poller>(*this);
}

loop::~loop() = default;

void loop::run() {
  context_.restart();
  const auto guard = boost::asio::make_work_guard(context_);
  while (context_.run_one() != 0)
    end_turn();
}

void loop::stop() {
  context_.stop();
}

void loop::post(callback work) {
  boost::asio::post(context_, [this, run_work = std::move(work)] {
    refresh_now();
    run_work();
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
