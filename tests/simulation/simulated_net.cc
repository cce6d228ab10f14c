// src/net without a kernel: the same classes, run by the schedule of a simulation. Linked in the place of the library,
// so that the gateway above it is the one that ships.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/assert.h"
#include "net/address.h"
#include "net/connect_attempt.h"
#include "net/deadline.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/loop_thread.h"
#include "net/wake_up.h"
#include "tests/simulation/network.h"
#include "tests/simulation/process.h"
#include "tests/simulation/put_off_sends.h"

namespace onceward::net {

using simulation::process;
using std::chrono::microseconds;

namespace {

// What is ready on a loop runs at its next turn.
constexpr microseconds turn{1};

// The precision of a deadline, as net/deadline.h has it.
constexpr microseconds tick{1'024};

}  // namespace

namespace detail {

// No sockets to watch.
class poller {};
class send_batch : public simulation::put_off_sends {
 public:
  using put_off_sends::put_off_sends;
};

// What a simulated loop has beside its clock.
class timer_wheel {
 public:
  timer_wheel(process& of, loop& on) : owner(of), loop_(on) {}

  void insert(deadline& what, base::moment when) {
    what.link = &marker_;
    what.tick = armed_.size();
    armed_.push_back({std::max(when, owner.now() + tick), ++order_, &what});
    wake_at(armed_.back().when);
  }

  void remove(deadline& what) {
    const std::size_t place = what.tick;
    armed_[place] = armed_.back();
    armed_[place].what->tick = place;
    armed_.pop_back();
    what.link = nullptr;
  }

  process& owner;
  bool stopped = false;
  std::function<void()> body;  // Of the thread that would run the loop.

 private:
  struct armed {
    base::moment when;
    std::uint64_t order;
    deadline* what;
  };

  void wake_at(base::moment when) {
    if (when >= waking_at_) return;
    waking_at_ = when;
    const auto delay = owner.true_time_of(when) - owner.time().now();
    simulation::post_to(loop_, std::max(delay, base::moment::duration{0}), [this, when] {
      if (waking_at_ == when) wake();
    });
  }

  void wake() {
    waking_at_ = base::moment::max();
    for (;;) {
      const auto next = std::min_element(armed_.begin(), armed_.end(), [](const armed& left, const armed& right) {
        return left.when != right.when ? left.when < right.when : left.order < right.order;
      });
      if (next == armed_.end()) return;
      if (next->when > owner.now()) return wake_at(next->when);
      deadline& due = *next->what;
      remove(due);
      simulation::run_on(loop_, [&] { due.on_due_(); });
      if (stopped) return;
    }
  }

  loop& loop_;
  timer_node* marker_ = nullptr;
  std::vector<armed> armed_;
  std::uint64_t order_ = 0;
  base::moment waking_at_ = base::moment::max();
};

}  // namespace detail

// ---- The loop ------------------------------------------------------------------------------------------------------

loop::loop()
    : timers_(std::make_unique<detail::timer_wheel>(process::current(), *this)),
      sends_(std::make_unique<detail::send_batch>(process::current(), *this)) {
  refresh_now();
}

loop::~loop() = default;

base::moment loop::read_clock() const {
  return timers_->owner.now();
}

void loop::refresh_now() {
  now_ = read_clock();
}

void loop::post(callback work) {
  simulation::post_to(*this, turn, [this, run_work = std::move(work)] { simulation::run_on(*this, run_work); });
}

void loop::stop() {
  if (std::exchange(timers_->stopped, true)) return;
  simulation::post_to(*this, turn, [this] {
    sends_->when_all_are_told([this] {
      if (const auto body = std::exchange(timers_->body, nullptr)) body();
    });
  });
}

// The schedule runs the handlers. This is called when the loop was stopped.
void loop::run() {}

struct loop_thread::state {
  loop& of;
};

loop_thread::loop_thread() = default;
loop_thread::~loop_thread() = default;

void loop_thread::start(loop& of, std::function<void()> body) {
  state_ = std::make_unique<state>(state{of});
  of.timers().body = std::move(body);
}

bool loop_thread::joinable() const {
  return state_ != nullptr;
}

void loop_thread::join() {
  if (state_ == nullptr) return;
  if (const auto body = std::exchange(state_->of.timers().body, nullptr)) body();
  state_.reset();
}

// ---- Deadlines and wake-ups ----------------------------------------------------------------------------------------

deadline::deadline(loop& owner, handler on_due) : loop_(owner), on_due_(std::move(on_due)) {}

void deadline::arm(base::moment when) {
  cancel();
  loop_.timers().insert(*this, when);
}

void deadline::cancel() {
  if (armed()) loop_.timers().remove(*this);
}

struct wake_up::state {
  bool pending = false;
  bool abandoned = false;
  loop::callback on_woken;
};

wake_up::wake_up(loop& owner, loop::callback on_woken) : loop_(owner), state_(std::make_shared<state>()) {
  state_->on_woken = std::move(on_woken);
}

wake_up::~wake_up() {
  state_->abandoned = true;
}

void wake_up::notify() {
  if (std::exchange(state_->pending, true)) return;
  loop_.post([shared = state_] {
    shared->pending = false;
    if (!shared->abandoned) shared->on_woken();
  });
}

// ---- Connecting and listening --------------------------------------------------------------------------------------

struct connect_attempt::state {
  state(loop& owner, handler on_connected)
      : tell(std::move(on_connected)), late(owner, [this] { finish(tl::unexpected(errc::timeout)); }) {}

  void finish(result<std::unique_ptr<transport>> made) {
    late.cancel();
    if (const handler told = std::exchange(tell, nullptr)) told(std::move(made));
  }

  handler tell;
  deadline late;
};

connect_attempt::connect_attempt(loop& owner, const address&, base::moment give_up, handler on_connected)
    : state_(std::make_shared<state>(owner, std::move(on_connected))) {
  state_->late.arm(give_up);
  process& from = simulation::process_of(owner);
  from.net().connect_upstream(owner, from.random().next(), [shared = state_](result<std::unique_ptr<transport>> made) {
    const auto kept = shared;  // Being told may destroy the attempt.
    kept->finish(std::move(made));
  });
}

connect_attempt::~connect_attempt() {
  state_->tell = nullptr;
  state_->late.cancel();
}

bool is_in_use(const address&) {
  return false;
}

struct listener::state {
  std::shared_ptr<simulation::network::listening> there;
  address where;
};

listener::listener(std::shared_ptr<state> opened) : state_(std::move(opened)) {}

result<std::unique_ptr<listener>> listener::open(loop& owner, const address& where) {
  process& by = simulation::process_of(owner);
  auto opened = std::make_shared<state>(
      std::make_shared<simulation::network::listening>(simulation::network::listening{&owner, &by, {}, false}), where);
  return std::unique_ptr<listener>(new listener(std::move(opened)));
}

listener::~listener() {
  stop();
}

void listener::start(handler on_accepted) {
  state_->there->on_accepted = std::move(on_accepted);
  state_->there->open = true;
  state_->there->owner->net().listen(state_->there);
}

void listener::stop() {
  state_->there->open = false;
}

address listener::local() const {
  return state_->where;
}

// ---- Names ---------------------------------------------------------------------------------------------------------

std::string to_string(const address& where) {
  return where.address().to_string() + ":" + std::to_string(where.port());
}

std::optional<address> parse_address(std::string_view host, std::uint16_t port) {
  boost::system::error_code error;
  const auto found = boost::asio::ip::make_address(host, error);
  if (error) return std::nullopt;
  return address(found, port);
}

result<std::vector<address>> resolve_now(const std::string& host, std::uint16_t port) {
  const auto found = parse_address(host, port);
  if (!found) return tl::unexpected(errc::not_found);
  return std::vector{*found};
}

// There are no names in a simulation.
struct resolver::state {};
resolver::resolver(loop&) {}
resolver::~resolver() = default;
void resolver::resolve(const std::string&, std::uint16_t, handler) {
  onceward_unreachable("a simulated gateway is given addresses");
}

}  // namespace onceward::net

namespace onceward::simulation {

process& process_of(net::loop& of) {
  return of.timers().owner;
}

put_off_sends& sends_of(net::loop& of) {
  return of.sends();
}

void post_to(net::loop& on, base::moment::duration delay, schedule::work what) {
  process_of(on).post(delay, [&on, work = std::move(what)]() mutable { on.sends().enter(std::move(work)); });
}

void run_on(net::loop& on, const std::function<void()>& what) {
  if (on.timers().stopped) return;
  on.refresh_now();
  what();
  on.end_turn(net::turn_end::nothing_left);
}

}  // namespace onceward::simulation
