#include "gateway/worker.h"

#include <utility>

#include "base/assert.h"

namespace onceward::gateway {
namespace {

using std::chrono::milliseconds;

// How often a worker that drains looks whether it is done.
constexpr milliseconds drain_look_interval{10};

// Connections over the limit that get an answer before they are closed, so that their clients know why.
constexpr std::size_t refused_at_once_max = 256;

}  // namespace

worker::worker(gateway& whole)
    : whole_(whole),
      settings_(whole.parts_.config),
      latencies_(whole.parts_.routes.size()),
      replies_(loop_),
      exchanges_{loop_, whole.parts_.records, replies_, whole.waiters_, *this},
      upstreams_(loop_, settings_, counts_, whole.parts_.log),
      tools_{.loop = loop_,
             .config = settings_,
             .routes = whole.parts_.routes,
             .secret = whole.parts_.secret,
             .digests = digests_,
             .log = whole.parts_.log,
             .counts = counts_,
             .exchanges = exchanges_,
             .upstreams = upstreams_,
             .buffers = buffers_,
             .dates = dates_,
             .latencies = latencies_,
             .random = random_,
             .draining = draining_},
      lookup_(settings_.lookup_prefix.empty()
                  ? nullptr
                  : std::make_unique<status_lookup>(settings_.lookup_prefix, whole.parts_.routes, whole.parts_.secret,
                                                    digests_, trusted_peers(settings_.trusted_peers), exchanges_)),
      locals_([this] { return std::make_unique<local_request>(tools_, locals_); }),
      proxy_(tools_, lookup_.get(), locals_),
      admin_dispatcher_(*this),
      drain_look_(loop_, [this] { look_whether_drained(); }) {
  loop_.at_end_of_turn([this](net::turn_end how) { end_turn(how); });
}

worker::~worker() {
  onceward_assert(!thread_.joinable());
  connections_.clear();
}

result<net::address> worker::listen(const net::address& where) {
  auto opened = net::listener::open(loop_, where);
  if (!opened) return tl::unexpected(opened.error());
  listener_ = std::move(*opened);
  return listener_->local();
}

result<net::address> worker::listen_for_admin(const net::address& where) {
  auto opened = net::listener::open(loop_, where);
  if (!opened) return tl::unexpected(opened.error());
  admin_listener_ = std::move(*opened);
  admin_sources_ = {.is_ready = [this] { return whole_.is_ready(); },
                    .metrics_text = [this] { return whole_.parts_.metrics_text(whole_.numbers()); }};
  const route_table& routes = whole_.parts_.routes;
  admin_ = std::make_unique<admin>(admin_sources_, routes.rules(routes.size() - 1), exchanges_, tools_.log);
  return admin_listener_->local();
}

void worker::start() {
  upstreams_.start();
  listener_->start([this](std::unique_ptr<net::transport> stream) { accept(std::move(stream), proxy_); });
  if (admin_listener_ != nullptr) {
    admin_listener_->start(
        [this](std::unique_ptr<net::transport> stream) { accept(std::move(stream), admin_dispatcher_); });
  }
  thread_.start(loop_, [this] { run(); });
}

void worker::run() {
  loop_.run();
  // Whoever is still there is told, on the thread that everything belongs to.
  connections_.clear();
  closed_.clear();
  listener_.reset();
  admin_listener_.reset();
  exchanges_.flush(caller::busy);
  if (whole_.running_.fetch_sub(1, std::memory_order_acq_rel) == 1 && whole_.on_stopped_) whole_.on_stopped_();
}

void worker::end_turn(net::turn_end how) {
  if (!exchanges_.gathered) return;
  std::uint64_t answers = 0;
  for (const counter& each : counts_.answers)
    answers += each.read();
  mix_.note(answers, counts_.answers[slot(answer_kind::executed)].read());
  const bool is_idle = how == net::turn_end::nothing_left && mix_.is_nearly_all_executions();
  exchanges_.flush(is_idle ? caller::idle : caller::busy);
}

void worker::join() {
  thread_.join();
}

// ---- Connections ---------------------------------------------------------------------------------------------------

void worker::accept(std::unique_ptr<net::transport> stream, request_dispatcher& dispatcher) {
  const std::size_t others = whole_.connections_.fetch_add(1, std::memory_order_relaxed);
  counts_.client_connections.add(1);
  connections_.push_back(
      std::make_unique<connection>(tools_, std::move(stream), dispatcher, static_cast<connection_home&>(*this)));
  connection& made = *connections_.back();
  made.place = connections_.size() - 1;
  if (&dispatcher == &proxy_) ++clients_;
  if (others < settings_.limits.connections_max || &dispatcher == &admin_dispatcher_) {
    counts_.client_connections_accepted.add();
    return made.start();
  }
  counts_.client_connections_refused.add();
  if (others >= settings_.limits.connections_max + refused_at_once_max) return on_closed(made);
  // Its request was not read: it may be the retry of one that ran.
  made.start_refusing(core::make_problem(core::problem_type::overloaded, {}, core::operation_state::unknown));
}

void worker::on_closed(connection& done) {
  const std::size_t place = done.place;
  std::swap(connections_[place], connections_.back());
  connections_[place]->place = place;
  if (closed_.empty()) loop_.post([this] { closed_.clear(); });
  closed_.push_back(std::move(connections_.back()));
  connections_.pop_back();
  if (&done.dispatcher() == &proxy_) --clients_;
  counts_.client_connections.add(-1);
  whole_.connections_.fetch_sub(1, std::memory_order_relaxed);
}

std::optional<request_dispatcher::accepted> worker::admin_dispatcher::dispatch(connection& from,
                                                                               const http::request_head_view& head) {
  local_request& taken = owner_.locals_.take();
  taken.begin(from, head, *owner_.admin_);
  return accepted{&taken, local_request::body_bytes_max};
}

void worker::store_replied(std::size_t command_index, const reply& value, std::chrono::microseconds took) {
  counts_.store_times[command_index].add(took);
  const auto* failure = std::get_if<store_failure>(&value);
  if (failure == nullptr) return;
  auto& failures =
      failure->effect == certainty::definite ? counts_.store_failures_definite : counts_.store_failures_indefinite;
  failures[command_index].add();
}

// ---- Stopping ------------------------------------------------------------------------------------------------------

void worker::begin_drain() {
  loop_.post([this] { drain(); });
}

void worker::stop_now() {
  loop_.stop();
}

// The admin listener and its connections stay to the end: they are how the outside sees that this gateway is not ready.
void worker::drain() {
  if (std::exchange(draining_, true)) return;
  const base::moment now = loop_.now();
  drain_end_ = now + settings_.timeouts.drain;
  // Whoever waits for another's attempt gets most of the time that there is, and an answer in any case.
  waiters_end_ = now + settings_.timeouts.drain * 3 / 4;
  listener_->stop();
  for (std::size_t i = connections_.size(); i-- > 0;) {
    if (&connections_[i]->dispatcher() == &proxy_) connections_[i]->drain();
  }
  look_whether_drained();
}

void worker::look_whether_drained() {
  const base::moment now = loop_.now();
  if (now >= waiters_end_) proxy_.drain_waiters();
  // Whoever has the admin listener goes last.
  const bool others_run = admin_listener_ != nullptr && whole_.running_.load(std::memory_order_relaxed) > 1;
  const bool done = clients_ == 0 && proxy_.is_quiet() && !others_run;
  if (done || now >= drain_end_) return loop_.stop();
  drain_look_.arm(now + drain_look_interval);
}

}  // namespace onceward::gateway
