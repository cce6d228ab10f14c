#include "tests/simulation/shared_store.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

namespace onceward::simulation {

using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds reply_patience{400};
constexpr unsigned nobody = ~0u;

constexpr wall_time first_day{milliseconds{1'767'225'600'000}};

}  // namespace

// ---- A gateway's way to it -----------------------------------------------------------------------------------------

class shared_store::connection final : public store {
 public:
  connection(shared_store& to, process& from, unsigned owner) : to_(to), from_(from), owner_(owner) {}

  void submit(command what, reply_sink& sink, std::uint64_t tag) override {
    if (from_.ended()) return;
    to_.sees_.store_asked(owner_, what);
    const std::uint64_t number = ++submitted_;
    waiting_.emplace(number, waiter{&sink, tag});
    const auto shared = std::make_shared<const command>(std::move(what));
    send(number, shared, some_latency());
    if (strikes(to_.about_.message_twice)) {
      to_.sees_.saw(sometimes::command_delivered_twice);
      send(number, shared, some_latency() + milliseconds(to_.random_.between(1, 5'000)));
    }
    from_.post(reply_patience, [this, number] { answer(number, store_failure{certainty::indefinite, errc::timeout}); });
  }

  store_statistics statistics() const override { return {.accepts_claims = true}; }

 private:
  struct waiter {
    reply_sink* sink;
    std::uint64_t tag;
  };

  bool strikes(double probability) { return !to_.calm_ && to_.random_.chance(probability); }

  microseconds some_latency() {
    microseconds latency(to_.random_.between(100, 3'000));
    if (strikes(to_.about_.message_late)) latency += milliseconds(to_.random_.between(10, 3'500));
    return latency;
  }

  void send(std::uint64_t number, const std::shared_ptr<const command>& what, microseconds latency) {
    if (strikes(to_.about_.message_loss)) return;
    // The server outlives the way to it, which may be gone when the message arrives: then nobody hears the reply.
    to_.time_.in(latency, [&server = to_, owner = owner_, what, back = alive_, number] {
      if (!server.up_) return;
      reply value = server.apply(owner, *what);
      if (const auto self = back.lock()) (*self)->reply_with(number, std::move(value));
    });
  }

  void reply_with(std::uint64_t number, reply value) {
    if (strikes(to_.about_.message_loss)) return;
    from_.post(some_latency(),
               [this, number, answered = std::move(value)]() mutable { answer(number, std::move(answered)); });
  }

  // The first counts.
  void answer(std::uint64_t number, reply value) {
    const auto found = waiting_.find(number);
    if (found == waiting_.end()) return;
    const waiter to = found->second;
    waiting_.erase(found);
    tagged_reply one{to.tag, std::move(value)};
    to.sink->deliver({&one, 1});
  }

  shared_store& to_;
  process& from_;
  const unsigned owner_;
  std::uint64_t submitted_ = 0;
  std::map<std::uint64_t, waiter> waiting_;
  const std::shared_ptr<connection*> alive_self_ = std::make_shared<connection*>(this);
  const std::weak_ptr<connection*> alive_ = alive_self_;
};

std::unique_ptr<store> shared_store::connect(process& from, unsigned owner) {
  return std::make_unique<connection>(*this, from, owner);
}

// ---- The server ----------------------------------------------------------------------------------------------------

shared_store::shared_store(schedule& time, const scenario& about, const operations& all, observer& sees,
                           std::uint64_t seed)
    : time_(time), about_(about), all_(all), sees_(sees), random_(seed, {4}) {
  if (about_.store_loses_tail) replicate();
}

wall_time shared_store::wall_now() const {
  return first_day + std::chrono::floor<milliseconds>(time_.now().time_since_epoch()) + wall_offset_;
}

reply shared_store::apply(unsigned owner, const command& what) {
  const wall_time now = wall_now();
  reply value = decide(what);
  sees_.store_answered(owner, what, value, now, now);
  if (!about_.store_loses_tail || std::holds_alternative<find>(what)) return value;
  std::visit(
      [this](const auto& each) {
        if constexpr (requires { each.attempt; }) not_replicated_.push_back(*all_.with_record(each.key));
      },
      what);
  return value;
}

reply shared_store::decide(const command& what) {
  return server_.decide(what, wall_now());
}

reply shared_store::find_now(const record_key& key) {
  return decide(find{key});
}

reply shared_store::command_now(const command& what) {
  sees_.store_asked(nobody, what);
  return apply(nobody, what);
}

void shared_store::replicate() {
  if (!not_replicated_.empty()) replica_ = server_;
  not_replicated_.clear();
  time_.in(about_.replication_lag, [this] { replicate(); });
}

void shared_store::fail_over() {
  for (const operation_number each : not_replicated_)
    sees_.store_lost(each);
  not_replicated_.clear();
  server_.fail_over_to(replica_);
}

}  // namespace onceward::simulation
