#include "tests/fuzz/fuzzed_worker.h"

#include <chrono>
#include <utility>
#include <variant>

#include "base/assert.h"
#include "net/connect_attempt.h"

namespace onceward {

namespace {

// The one that is being fuzzed.
fuzz::fuzzed_worker* present = nullptr;

}  // namespace

// Linked in the place of the library's: whoever connects gets a byte stream.
namespace net {

struct connect_attempt::state {
  handler on_connected;
};

connect_attempt::connect_attempt(loop& owner, const address&, base::moment, handler on_connected)
    : state_(std::make_shared<state>(state{std::move(on_connected)})) {
  owner.post([waiting = std::weak_ptr(state_)] {
    const auto who = waiting.lock();
    if (who != nullptr) who->on_connected(present->connect_upstream());
  });
}

connect_attempt::~connect_attempt() = default;

}  // namespace net

namespace fuzz {
namespace {

constexpr std::string_view key_field = "Idempotency-Key";

struct given {
  gateway::settings settings;
  gateway::route_table routes;
};

// One address, and a route for each way of answering that is not the default's.
const given& what_is_given() {
  static const given made = [] {
    gateway::settings chosen;
    chosen.upstreams = {{"192.0.2.2", 80}};
    chosen.defaults = *core::profile("default");
    core::policy strict = *core::profile("ietf");
    strict.name = "strict";
    strict.fingerprint.body = core::body_recipe::json;
    strict.request_body_bytes_max = 64;
    chosen.routes.push_back({"/strict/**", {}, strict});
    auto routes = gateway::route_table::make(chosen);
    return given{std::move(chosen), *std::move(routes)};
  }();
  return made;
}

const core::deployment_secret& secret() {
  static const core::deployment_secret made("a secret of the fuzz targets");
  return made;
}

gateway::logger& silent_log() {
  static gateway::logger log(gateway::log_level::error, [](std::string_view) {});
  return log;
}

}  // namespace

// ---- The upstream --------------------------------------------------------------------------------------------------

answering_upstream::answering_upstream(std::shared_ptr<byte_stream> stream, std::string answer, bool ends)
    : stream_(std::move(stream)), answer_(std::move(answer)), ends_(ends), heads_({}, http::underscore_policy::keep) {}

std::vector<answering_upstream::request> answering_upstream::look() {
  std::vector<request> complete;
  std::string_view input = std::string_view(stream_->sent()).substr(read_);
  while (!is_tunnel_ && !input.empty() && read_one(input)) {
    complete.push_back(std::move(current_));
    stream_->deliver(answer_);
    if (ends_) stream_->end_delivery();
    is_tunnel_ = answer_.starts_with("HTTP/1.1 101");
  }
  read_ = stream_->sent().size() - input.size();
  return complete;
}

// Whether a request is complete. Whatever the gateway forwards is understood.
bool answering_upstream::read_one(std::string_view& input) {
  if (!in_body_) {
    const auto outcome = heads_.feed(input);
    onceward_assert(!std::holds_alternative<http::parse_error>(outcome));
    if (std::holds_alternative<http::need_more>(outcome)) return false;
    const auto& head = std::get<http::request_head_view>(outcome);
    current_ = {std::string(head.method), std::string(head.target),
                std::string(http::find(head.fields, key_field).value_or(""))};
    input.remove_prefix(head.bytes);
    body_ = http::body_reader(head.framing, {});
    heads_.next();
    in_body_ = true;
  }
  while (!body_.done()) {
    const auto step = body_.consume(input);
    onceward_assert(!std::holds_alternative<http::parse_error>(step));
    input.remove_prefix(std::get<http::body_progress>(step).consumed);
    if (!body_.done() && input.empty()) return false;
  }
  in_body_ = false;
  return true;
}

// ---- The worker ----------------------------------------------------------------------------------------------------

fuzzed_worker::fuzzed_worker(upstream_habit habit)
    : habit_(std::move(habit)),
      records_({}, [] { return wall_time{std::chrono::milliseconds{1'767'225'600'000}}; }),
      waiters_({.total_max = 100, .per_key_max = 100, .per_scope_max = 100}),
      latencies_(what_is_given().routes.size()),
      replies_(loop_),
      exchanges_{loop_, records_, replies_, waiters_, *this},
      upstreams_(loop_, what_is_given().settings, counts_, silent_log()),
      tools_{.loop = loop_,
             .config = what_is_given().settings,
             .routes = what_is_given().routes,
             .secret = secret(),
             .digests = digests_,
             .log = silent_log(),
             .counts = counts_,
             .exchanges = exchanges_,
             .upstreams = upstreams_,
             .buffers = buffers_,
             .dates = dates_,
             .latencies = latencies_,
             .random = random_,
             .draining = draining_},
      lookup_(tools_.config.lookup_prefix, tools_.routes, secret(), digests_, gateway::trusted_peers({}), exchanges_),
      admin_sources_{.is_ready = [] { return true; }, .metrics_text = [] { return std::string("metrics 1\n"); }},
      admin_(admin_sources_, tools_.routes.rules(tools_.routes.size() - 1), exchanges_, silent_log()),
      locals_([this] { return std::make_unique<gateway::local_request>(tools_, locals_); }),
      proxy_(tools_, &lookup_, locals_),
      admin_dispatcher_(*this) {
  present = this;
  upstreams_.start();
}

fuzzed_worker::~fuzzed_worker() {
  connections_.clear();
  closed_.clear();
  present = nullptr;
}

std::shared_ptr<byte_stream> fuzzed_worker::connect_client(std::size_t taken_at_once) {
  return connect(taken_at_once, proxy_);
}

std::shared_ptr<byte_stream> fuzzed_worker::connect_operator(std::size_t taken_at_once) {
  return connect(taken_at_once, admin_dispatcher_);
}

std::shared_ptr<byte_stream> fuzzed_worker::connect(std::size_t taken_at_once,
                                                    gateway::request_dispatcher& dispatcher) {
  clients_.push_back(std::make_shared<byte_stream>(taken_at_once));
  connections_.push_back(std::make_unique<gateway::connection>(tools_, clients_.back()->make_transport(), dispatcher,
                                                               static_cast<gateway::connection_home&>(*this)));
  connections_.back()->place = connections_.size() - 1;
  connections_.back()->start();
  return clients_.back();
}

std::unique_ptr<net::transport> fuzzed_worker::connect_upstream() {
  const auto stream = std::make_shared<byte_stream>(std::string::npos);
  peers_.emplace_back(stream, habit_.answer, habit_.ends);
  return stream->make_transport();
}

std::optional<gateway::request_dispatcher::accepted> fuzzed_worker::admin_dispatcher::dispatch(
    gateway::connection& from, const http::request_head_view& head) {
  gateway::local_request& taken = owner_.locals_.take();
  taken.begin(from, head, owner_.admin_);
  return accepted{&taken, gateway::local_request::body_bytes_max};
}

void fuzzed_worker::on_closed(gateway::connection& done) {
  const std::size_t place = done.place;
  std::swap(connections_[place], connections_.back());
  connections_[place]->place = place;
  closed_.push_back(std::move(connections_.back()));
  connections_.pop_back();
}

void fuzzed_worker::run() {
  while (step())
    closed_.clear();
  closed_.clear();
}

bool fuzzed_worker::step() {
  loop_.context().restart();
  bool moved = loop_.context().poll() > 0;
  for (const auto& each : clients_)
    moved |= each->tell();
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    for (answering_upstream::request& each : peers_[i].look())
      forwarded_.push_back(std::move(each));
    // Being told, the gateway may connect anew.
    moved |= peers_[i].stream().tell();
  }
  return moved;
}

}  // namespace fuzz
}  // namespace onceward
