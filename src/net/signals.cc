#include "net/signals.h"

#include <utility>

#include <boost/asio/basic_signal_set.hpp>

namespace onceward::net {

struct signal_watch::state : std::enable_shared_from_this<signal_watch::state> {
  explicit state(loop& owner) : on(owner), signals(owner.context().get_executor()) {}

  void await() {
    signals.async_wait([self = shared_from_this()](const boost::system::error_code& error, int number) {
      if (error || !self->open) return;
      self->on.refresh_now();
      self->await();
      self->on_signal(number);
    });
  }

  loop& on;
  boost::asio::basic_signal_set<boost::asio::io_context::executor_type> signals;
  std::function<void(int)> on_signal;
  bool open = true;
};

signal_watch::signal_watch(loop& owner, std::initializer_list<int> numbers, std::function<void(int)> on_signal)
    : state_(std::make_shared<state>(owner)) {
  for (const int number : numbers)
    state_->signals.add(number);
  state_->on_signal = std::move(on_signal);
  state_->await();
}

signal_watch::~signal_watch() {
  state_->open = false;
  boost::system::error_code ignored;
  state_->signals.cancel(ignored);
}

}  // namespace onceward::net
