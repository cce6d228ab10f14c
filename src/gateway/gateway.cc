#include "gateway/gateway.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "gateway/worker.h"
#include "net/listener.h"

namespace onceward::gateway {
namespace {

std::string text_of(const host_and_port& where) {
  return where.host + ":" + std::to_string(where.port);
}

tl::expected<net::address, std::string> find_address(const host_and_port& where) {
  const auto found = net::resolve_now(where.host, where.port);
  if (!found) return tl::unexpected("cannot listen on " + text_of(where) + ": there is no such host");
  const net::address first = found->front();
  // Sockets that share a port would let two gateways listen without either knowing.
  if (where.port != 0 && net::is_in_use(first)) {
    return tl::unexpected("cannot listen on " + text_of(where) + ": the port is in use");
  }
  return first;
}

std::string refusal(const host_and_port& where, errc reason) {
  const std::string_view why = reason == errc::busy      ? "the port is in use"
                               : reason == errc::invalid ? "this machine does not have that address"
                                                         : "the operating system refuses it";
  return "cannot listen on " + text_of(where) + ": " + std::string(why);
}

}  // namespace

gateway::gateway(gateway_parts_view parts)
    : parts_(std::move(parts)),
      waiters_({.total_max = parts_.config.limits.waiters_max,
                .per_key_max = parts_.config.limits.waiters_per_key_max,
                .per_scope_max = parts_.config.limits.waiters_per_scope_max}) {}

gateway::~gateway() {
  stop_now();
  wait();
}

tl::expected<void, std::string> gateway::start() {
  const settings& from = parts_.config;
  const unsigned count = from.workers != 0 ? from.workers : std::max(1u, std::thread::hardware_concurrency());
  auto where = find_address(from.listen);
  if (!where) return tl::unexpected(std::move(where.error()));
  for (unsigned i = 0; i < count; ++i) {
    workers_.push_back(std::make_unique<worker>(*this));
    const auto listening = workers_.back()->listen(*where);
    if (!listening) return tl::unexpected(refusal(from.listen, listening.error()));
    *where = *listening;
  }
  listen_address_ = *where;
  if (from.admin) {
    const auto admin = find_address(*from.admin);
    if (!admin) return tl::unexpected(admin.error());
    const auto listening = workers_.front()->listen_for_admin(*admin);
    if (!listening) return tl::unexpected(refusal(*from.admin, listening.error()));
    admin_address_ = *listening;
  }
  running_ = count;
  parts_.records.observe(&ends_elsewhere_);
  for (const auto& each : workers_)
    each->start();
  started_ = true;
  return {};
}

void gateway::ends_elsewhere::attempts_ended(std::span<const record_key> keys) {
  for (const record_key& key : keys)
    waiters_.wake(key, {core::attempt_end::elsewhere, fence{0}, nullptr, nullptr, nullptr});
}

void gateway::ends_elsewhere::any_may_have_ended() {
  waiters_.wake_all({core::attempt_end::elsewhere, fence{0}, nullptr, nullptr, nullptr});
}

bool gateway::is_ready() const {
  return started_.load(std::memory_order_relaxed) && !draining_.load(std::memory_order_relaxed) &&
         parts_.records.statistics().accepts_claims;
}

void gateway::begin_drain(std::function<void()> on_stopped) {
  if (draining_.load(std::memory_order_relaxed)) return;
  on_stopped_ = std::move(on_stopped);
  draining_ = true;
  for (const auto& each : workers_)
    each->begin_drain();
}

void gateway::stop_now() {
  draining_ = true;
  for (const auto& each : workers_)
    each->stop_now();
}

void gateway::wait() {
  for (const auto& each : workers_)
    each->join();
}

gateway_numbers_view gateway::numbers() const {
  gateway_numbers_view all{
      .workers = {}, .waiters = waiters_.size(), .records = parts_.records.statistics(), .ready = is_ready()};
  for (const auto& each : workers_)
    all.workers.push_back(&each->counts());
  return all;
}

}  // namespace onceward::gateway
