#include "gateway/upstream_pool.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"

namespace onceward::gateway {

// A connection being made, for `who`; null once the customer has left: it is then for the next.
struct upstream_connecting {
  upstream_customer* who;
  upstream_endpoint* where;
  std::unique_ptr<net::connect_attempt> attempt;
};

namespace {

// Bytes or an end on a connection that nobody uses mean that nobody can.
bool is_quiet(net::transport& idle) {
  if (idle.is_known_quiet()) return true;
  std::array<char, 1> unexpected;
  return idle.receive(unexpected).status == net::transfer_status::would_block;
}

}  // namespace

// ---- Addresses -----------------------------------------------------------------------------------------------------

upstream_pool::upstream_pool(net::loop& loop, const settings& from, worker_counters& counts, logger& log)
    : loop_(loop),
      settings_(from),
      counts_(counts),
      log_(log),
      queue_deadline_(loop, [this] { expire_queue(); }),
      idle_deadline_(loop, [this] { close_idle_too_long(); }),
      names_(loop, from.upstreams, log,
             [this](std::size_t upstream, const auto& addresses) { set_addresses(upstream, addresses); }) {
  limits_.head_bytes_max = from.limits.header_bytes_max;
  limits_.fields_max = from.limits.header_fields_max;
  names_.on_failed = [this] { serve_queue(); };
}

upstream_pool::~upstream_pool() {
  onceward_assert(queue_.empty());
}

void upstream_pool::set_addresses(std::size_t upstream, const std::vector<net::address>& addresses) {
  const auto is_gone = [&](const auto& known) {
    return known->upstream == upstream &&
           std::find(addresses.begin(), addresses.end(), known->where) == addresses.end();
  };
  for (auto& each : endpoints_) {
    if (!is_gone(each)) continue;
    each->retired = true;
    retired_.push_back(std::move(each));
  }
  std::erase(endpoints_, nullptr);
  for (const net::address& where : addresses) {
    const auto is_known = [&](const auto& known) { return known->upstream == upstream && known->where == where; };
    if (std::any_of(endpoints_.begin(), endpoints_.end(), is_known)) continue;
    endpoints_.push_back(std::make_unique<upstream_endpoint>());
    endpoints_.back()->where = where;
    endpoints_.back()->upstream = upstream;
  }
  remove_retired();
  serve_queue();
}

void upstream_pool::remove_retired() {
  for (const auto& each : retired_) {
    while (!each->idle.empty())
      discard(*each->idle.back());
  }
  std::erase_if(retired_, [](const auto& each) { return each->connections.empty() && each->connecting == 0; });
}

bool upstream_pool::is_full(const upstream_endpoint& where) const {
  return where.connections.size() + where.connecting >= settings_.limits.upstream_connections_max;
}

bool upstream_pool::all_are_out() const {
  return std::all_of(endpoints_.begin(), endpoints_.end(), [this](const auto& each) { return is_out(*each); });
}

// ---- Finding a connection ------------------------------------------------------------------------------------------

void upstream_pool::acquire(upstream_customer& who, const upstream_demand& demand) {
  onceward_assert(!upstream_queue::is_listed(who) && who.attempt_ == nullptr);
  who.demand_ = demand;
  who.turn_ = turn_++;
  who.looked_ = 0;
  who.saw_full_ = false;
  who.give_up_ = loop_.now() + settings_.timeouts.upstream_connect;
  // Nobody overtakes those who wait.
  if (!queue_.empty() && !serving_queue_) return wait(who);
  serve(who);
}

// Goes on with the round of `who` until there is a connection, one is being made, or nowhere is left to look.
void upstream_pool::serve(upstream_customer& who) {
  if (endpoints_.empty())
    return names_.unanswered() ? wait(who) : who.on_no_connection(upstream_failure_kind::unreachable);
  const bool ask_all = all_are_out();
  for (; who.looked_ < endpoints_.size(); ++who.looked_) {
    upstream_endpoint& where = *endpoints_[(who.turn_ + who.looked_) % endpoints_.size()];
    if (is_out(where) && !ask_all) continue;
    if (upstream_connection* ready = take_idle(where, who.demand_)) return who.on_connection(*ready);
    if (!is_full(where)) return connect(where, who);
    who.saw_full_ = true;
  }
  if (who.saw_full_) return wait(who);
  who.on_no_connection(upstream_failure_kind::unreachable);
}

upstream_connection* upstream_pool::take_idle(upstream_endpoint& where, const upstream_demand& demand) {
  while (!where.idle.empty()) {
    upstream_connection& latest = *where.idle.back();
    if (loop_.now() - latest.idle_since_ > demand.idle_max) return nullptr;
    if (demand.checked && !is_quiet(*latest.stream_)) {
      discard(latest);
      continue;
    }
    where.idle.pop_back();
    latest.reused_ = true;
    return &latest;
  }
  return nullptr;
}

void upstream_pool::connect(upstream_endpoint& where, upstream_customer& who) {
  auto made = std::make_unique<upstream_connecting>(upstream_connecting{&who, &where, nullptr});
  upstream_connecting& one = *made;
  connecting_.push_back(std::move(made));
  who.attempt_ = &one;
  ++where.connecting;
  counts_.upstream_connects.add();
  one.attempt = std::make_unique<net::connect_attempt>(
      loop_, where.where, loop_.now() + settings_.timeouts.upstream_connect,
      [this, &one](result<std::unique_ptr<net::transport>> stream) { connected(one, std::move(stream)); });
}

void upstream_pool::connected(upstream_connecting& made, result<std::unique_ptr<net::transport>> stream) {
  upstream_endpoint& where = *made.where;
  upstream_customer* const who = made.who;
  if (who != nullptr) who->attempt_ = nullptr;
  --where.connecting;
  std::erase_if(connecting_, [&](const auto& each) { return each.get() == &made; });
  if (!stream) {
    connect_failed(where, stream.error());
    remove_retired();
    if (who == nullptr) return serve_queue();
    ++who->looked_;
    return serve(*who);
  }
  where.failures = 0;
  where.ejected_until = {};
  where.connections.push_back(std::make_unique<upstream_connection>(*this, where, std::move(*stream), limits_));
  upstream_connection& ready = *where.connections.back();
  ready.place_ = where.connections.size() - 1;
  counts_.upstream_connections.add(1);
  ready.stream_->await_readable();
  if (who == nullptr) return give_back(ready);
  who->on_connection(ready);
}

void upstream_pool::connect_failed(upstream_endpoint& where, errc reason) {
  counts_.upstream_connects_failed.add();
  if (++where.failures < settings_.health.failures_to_eject) return;
  where.ejected_until = loop_.now() + settings_.health.ejected_for;
  counts_.upstream_ejections.add();
  log_.warning("upstream-ejected",
               {{"address", net::to_string(where.where)}, {"reason", to_string(reason)}, {"failures", where.failures}});
}

void upstream_pool::leave(upstream_customer& who) {
  upstream_queue::remove(who);
  if (who.attempt_ != nullptr) std::exchange(who.attempt_, nullptr)->who = nullptr;
}

// ---- Waiting for one -----------------------------------------------------------------------------------------------

void upstream_pool::wait(upstream_customer& who) {
  if (queue_.size() >= settings_.limits.upstream_queue_max)
    return who.on_no_connection(upstream_failure_kind::overloaded);
  if (serving_queue_) {
    queue_.push_front(who);
  } else {
    queue_.push_back(who);
  }
  if (!queue_deadline_.armed()) queue_deadline_.arm(queue_.front().give_up_);
}

void upstream_pool::serve_queue() {
  if (serving_queue_) return;
  serving_queue_ = true;
  while (!queue_.empty()) {
    upstream_customer& first = queue_.front();
    upstream_queue::remove(first);
    first.looked_ = 0;
    first.saw_full_ = false;
    serve(first);
    if (!queue_.empty() && &queue_.front() == &first) break;  // There was nothing for it.
  }
  serving_queue_ = false;
}

void upstream_pool::expire_queue() {
  while (!queue_.empty() && queue_.front().give_up_ <= loop_.now()) {
    upstream_customer& late = queue_.front();
    upstream_queue::remove(late);
    late.on_no_connection(endpoints_.empty() ? upstream_failure_kind::unreachable : upstream_failure_kind::overloaded);
  }
  if (!queue_.empty()) queue_deadline_.arm(queue_.front().give_up_);
}

// ---- After use -----------------------------------------------------------------------------------------------------

void upstream_pool::give_back(upstream_connection& done) {
  upstream_endpoint& where = done.where_;
  if (where.retired || where.idle.size() >= settings_.limits.upstream_idle_max) return discard(done);
  done.user_ = nullptr;
  done.idle_since_ = loop_.now();
  done.stream_->await_readable();
  where.idle.push_back(&done);
  if (!idle_deadline_.armed()) idle_deadline_.arm(loop_.now() + settings_.timeouts.upstream_idle);
  if (!queue_.empty()) serve_queue();
}

void upstream_pool::discard(upstream_connection& done) {
  upstream_endpoint& where = done.where_;
  std::erase(where.idle, &done);
  const std::size_t place = done.place_;
  std::swap(where.connections[place], where.connections.back());
  where.connections[place]->place_ = place;
  where.connections.pop_back();
  counts_.upstream_connections.add(-1);
  if (!queue_.empty()) serve_queue();
}

void upstream_pool::close_idle_too_long() {
  const base::moment oldest_kept = loop_.now() - settings_.timeouts.upstream_idle;
  base::moment next = base::moment::max();
  for (const auto& each : endpoints_) {
    while (!each->idle.empty() && each->idle.front()->idle_since_ <= oldest_kept)
      discard(*each->idle.front());
    if (!each->idle.empty()) next = std::min(next, each->idle.front()->idle_since_);
  }
  if (next != base::moment::max()) idle_deadline_.arm(next + settings_.timeouts.upstream_idle);
}

}  // namespace onceward::gateway
