// Many exchanges for one key against the real rules of a record, in an order drawn from a seed: commands that are lost
// or arrive twice, replies that are lost, leases that run out, upstreams that fail in every way, clients that leave.
// After each step the promises of the exchange machine are checked; after the faults, that everybody is answered.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/exchange.h"
#include "core/outcome.h"
#include "core/record.h"
#include "core/record_codec.h"

namespace onceward::core {
namespace {

using base::moment;
using std::chrono::milliseconds;

shared_bytes bytes(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

class world {
 public:
  world(std::uint64_t seed, unknown_policy on_unknown) : random_(seed) {
    rules_.outcomes = default_outcomes();
    rules_.on_unknown = on_unknown;
    rules_.probe.url = "/status";
    rules_.lease = milliseconds{3'000};
    rules_.wait = milliseconds{2'000};
  }

  void run() {
    for (int step = 0; step < 120; ++step) {
      if (random_() % 4 == 0 && clients_.size() < 8) add_client();
      random_step(true);
    }
    // The faults are over: everything that is under way arrives, and time passes until nobody waits.
    for (int step = 0; step < 5'000 && !all_finished(); ++step)
      random_step(false);
    for (const auto& each : clients_) {
      ASSERT_TRUE(each->machine.finished()) << "an exchange is stuck";
      ASSERT_TRUE(each->left || each->answers == 1) << "a client got " << each->answers << " answers";
    }
  }

  int forwards() const { return static_cast<int>(forwarded_.size()); }

 private:
  struct client {
    client(exchange_identity identity, const policy& rules)
        : fingerprint(*identity.fingerprint), machine(std::move(identity), rules) {}
    std::string fingerprint;
    exchange machine;
    std::optional<moment> deadline;
    bool waits = false;
    bool behind_probe = false;
    bool at_upstream = false;
    bool joined = false;
    bool asking = false;
    bool took_effect = false;
    bool left = false;
    int answers = 0;
  };
  struct letter {
    client* from;
    command what;
    bool renewal;
    bool nobody_listens;
  };
  struct answer {
    client* to;
    reply value;
    bool renewal;
  };

  bool chance(unsigned percent) { return random_() % 100 < percent; }
  wall_time wall() const { return wall_time{std::chrono::duration_cast<milliseconds>(now_.time_since_epoch())}; }

  void add_client() {
    attempt_id id;
    for (auto& each : id.bytes)
      each = static_cast<std::byte>(random_());
    clients_.push_back(
        std::make_unique<client>(exchange_identity{record_key{}, id, bytes(chance(80) ? "one" : "two")}, rules_));
    tell(*clients_.back(), event_started{});
  }

  void tell(client& to, exchange_event event) {
    if (to.machine.finished()) return;
    action_list actions = to.machine.on(std::move(event), now_);
    bool refused = false;
    for (action& each : actions)
      std::visit([&](auto& what) { refused |= perform(to, what); }, each);
    if (refused) tell(to, event_wait_refused{});
    if (std::exchange(to.joined, false)) tell(to, event_probe_joined{prober_ == &to});
  }

  bool perform(client& by, action_submit& a) {
    letters_.push_back({&by, a.what, false, by.machine.finished()});
    return false;
  }
  bool perform(client& by, action_renew& a) {
    letters_.push_back({&by, a.what, true, false});
    return false;
  }
  bool perform(client& by, action_forward& a) {
    EXPECT_TRUE(forwarded_.insert(a.token).second) << "one grant was forwarded twice";
    if (rules_.on_unknown != unknown_policy::redispatch) {
      EXPECT_EQ(effects_, 0) << "forwarded again after it took effect";
    }
    by.at_upstream = true;
    return false;
  }
  bool perform(client&, action_pass_unguarded&) {
    ADD_FAILURE() << "passed unguarded on a route that refuses";
    return false;
  }
  // Answered at once, as the shell does.
  bool perform(client& by, action_join_probe&) {
    if (prober_ != nullptr && chance(5)) return true;
    by.waits = by.behind_probe = prober_ != nullptr;
    by.joined = true;
    if (prober_ == nullptr) prober_ = &by;
    return false;
  }
  bool perform(client& by, action_leave_probe&) {
    EXPECT_EQ(prober_, &by) << "left a probe that was not its own";
    prober_ = nullptr;
    return false;
  }
  bool perform(client& by, action_end_probe& a) {
    EXPECT_EQ(prober_, &by) << "ended a probe that was not its own";
    prober_ = nullptr;
    wake(a.end, true);
    return false;
  }
  bool perform(client& by, action_probe&) {
    EXPECT_EQ(prober_, &by) << "two probe for one key";
    by.asking = true;
    return false;
  }
  bool perform(client& by, action_join_waiters&) {
    if (chance(5)) return true;
    by.waits = true;
    by.behind_probe = false;
    return false;
  }
  bool perform(client& by, action_leave_waiters&) {
    by.waits = false;
    return false;
  }
  bool perform(client&, action_wake_waiters& a) {
    wake(a.end, false);
    return false;
  }
  bool perform(client& by, action_set_deadline& a) {
    by.deadline = a.when;
    return false;
  }
  bool perform(client&, action_note&) { return false; }
  bool perform(client& by, action_finish&) {
    by.deadline.reset();
    EXPECT_NE(prober_, &by) << "finished without leaving its probe";
    by.waits = by.asking = false;
    return false;
  }
  bool perform(client& by, action_respond& a) {
    EXPECT_FALSE(by.left) << "answered a client that had left";
    EXPECT_EQ(++by.answers, 1);
    if (const auto* replay = std::get_if<respond_replay>(&a.source)) check_replay(by, *replay->response);
    if (const auto* live = std::get_if<respond_live>(&a.source); live != nullptr && by.took_effect) {
      EXPECT_FALSE(live->not_recorded);
      EXPECT_TRUE(record_ && std::holds_alternative<state_completed>(record_->state))
          << "answered before it was recorded";
    }
    return false;
  }

  void wake(const ended_attempt& end, bool only_behind_probe) {
    for (const auto& each : clients_) {
      if (!each->waits || (only_behind_probe && !each->behind_probe)) continue;
      each->waits = false;
      wakes_.push_back({each.get(), end});
    }
  }

  void check_replay(const client& by, const std::string& response) {
    EXPECT_EQ(response.substr(0, response.find(' ')), by.fingerprint) << "served the answer to another request";
    if (!replayed_) replayed_ = response;
    EXPECT_EQ(*replayed_, response) << "two replays of one record differ";
  }

  // ---- The store
  // -----------------------------------------------------------------------------------------------------

  reply apply(const command& what) {
    if (record_) record_ = as_of(*record_, wall());
    const record* before = record_ ? &*record_ : nullptr;
    decision made{record_absent{}, std::nullopt};
    if (const auto* c = std::get_if<claim>(&what)) {
      made = decide(before, *c, wall(), fence{last_fence_ + 1});
      if (made.after) check_grant(before, made.after->token);
    } else if (const auto* r = std::get_if<renew>(&what)) {
      made = decide(before, *r, wall());
    } else if (const auto* d = std::get_if<complete>(&what)) {
      made = decide(before, *d, wall());
    } else if (const auto* g = std::get_if<release>(&what)) {
      made = decide(before, *g, wall());
    } else if (before != nullptr) {
      made.answer = describe(*before, wall());
    }
    if (made.after) record_ = made.after;
    return made.answer;
  }

  void check_grant(const record* before, fence token) {
    EXPECT_FALSE(before != nullptr && std::holds_alternative<state_in_flight>(before->state)) << "two live leases";
    EXPECT_FALSE(before != nullptr && std::holds_alternative<state_completed>(before->state))
        << "a result was claimed over";
    last_fence_ = static_cast<std::uint64_t>(token);
  }

  void carry_letter(bool faults) {
    const std::size_t index = random_() % letters_.size();
    letter mail = letters_[index];
    letters_.erase(letters_.begin() + static_cast<std::ptrdiff_t>(index));
    const bool lost = faults && chance(8);
    const bool reply_lost = faults && chance(8);
    reply value = store_failure{certainty::indefinite, errc::timeout};
    if (!lost) {
      reply taken = apply(mail.what);
      if (faults && chance(8)) taken = apply(mail.what);
      if (!reply_lost) value = taken;
    }
    if (!mail.nobody_listens) answers_.push_back({mail.from, value, mail.renewal});
  }

  void carry_answer() {
    const std::size_t index = random_() % answers_.size();
    answer mail = answers_[index];
    answers_.erase(answers_.begin() + static_cast<std::ptrdiff_t>(index));
    if (mail.renewal) return tell(*mail.to, event_renewal_replied{mail.value});
    tell(*mail.to, event_store_replied{mail.value});
  }

  // ---- The upstream
  // --------------------------------------------------------------------------------------------------

  upstream_answer answer_with(client& by, std::uint16_t status) {
    return {status, std::nullopt, std::nullopt, bytes(by.fingerprint + " " + std::to_string(random_())),
            write_tombstone({status, ""})};
  }

  void end_attempt(client& by, bool faults) {
    by.at_upstream = false;
    const auto kind = faults ? random_() % 6 : 0;
    if (kind <= 1) {
      ++effects_;
      by.took_effect = true;
      return tell(by, event_upstream_ended{answer_with(by, kind == 0 ? 200 : 404)});
    }
    if (kind == 2) return tell(by, event_upstream_ended{answer_with(by, 503)});
    if (kind == 3) return tell(by, event_upstream_ended{definite_failure::unreachable});
    // Nobody who sees only the connection can know which of the two it was.
    if (chance(50)) ++effects_;
    if (kind == 4) return tell(by, event_upstream_ended{indefinite_failure::failed});
    tell(by, event_upstream_ended{answer_with(by, 504)});
  }

  void end_probe(client& by) {
    by.asking = false;
    const bool running =
        std::any_of(clients_.begin(), clients_.end(), [](const auto& each) { return each->at_upstream; });
    if (running) return tell(by, event_probe_ended{probe_verdict::still_running});
    if (effects_ == 0) return tell(by, event_probe_ended{probe_verdict::not_found});
    if (chance(30)) return tell(by, event_probe_ended{probe_verdict::no_verdict});
    const std::string owner = record_ ? *record_->fingerprint : "one";
    tell(by, event_probe_ended{
                 probe_found{bytes(owner + " probed " + std::to_string(random_())), write_tombstone({200, ""})}});
  }

  // ---- Steps
  // ---------------------------------------------------------------------------------------------------------

  void random_step(bool faults) {
    switch (random_() % 8) {
      case 0:
      case 1:
        if (!letters_.empty()) carry_letter(faults);
        return;
      case 2:
      case 3:
        if (!answers_.empty()) carry_answer();
        return;
      case 4:
        return one_of([](const client& c) { return c.at_upstream; }, [&](client& c) { end_attempt(c, faults); });
      case 5:
        return one_of([](const client& c) { return c.asking; }, [&](client& c) { end_probe(c); });
      case 6:
        if (!wakes_.empty()) {
          const auto wake = wakes_.back();
          wakes_.pop_back();
          return tell(*wake.first, event_attempt_ended{wake.second});
        }
        if (faults && chance(20)) {
          return one_of([](const client& c) { return !c.left && c.answers == 0; },
                        [&](client& c) {
                          c.left = true;
                          tell(c, event_client_gone{});
                        });
        }
        return;
      case 7:
        return pass_time(faults);
      default:
        return;
    }
  }

  template <typename Which, typename Do>
  void one_of(Which which, Do act) {
    std::vector<client*> fitting;
    for (const auto& each : clients_) {
      if (which(*each)) fitting.push_back(each.get());
    }
    if (!fitting.empty()) act(*fitting[random_() % fitting.size()]);
  }

  void pass_time(bool faults) {
    now_ += milliseconds{faults && chance(5) ? 4'000 : random_() % 200};
    for (const auto& each : clients_) {
      if (!each->deadline || *each->deadline > now_) continue;
      each->deadline.reset();
      tell(*each, event_deadline{});
    }
  }

  bool all_finished() const {
    return std::all_of(clients_.begin(), clients_.end(), [](const auto& each) { return each->machine.finished(); });
  }

  std::mt19937_64 random_;
  policy rules_;
  moment now_{std::chrono::seconds{1'000}};
  std::vector<std::unique_ptr<client>> clients_;
  std::vector<letter> letters_;
  std::vector<answer> answers_;
  std::vector<std::pair<client*, ended_attempt>> wakes_;
  const client* prober_ = nullptr;
  std::optional<record> record_;
  std::uint64_t last_fence_ = 0;
  std::set<fence> forwarded_;
  int effects_ = 0;
  std::optional<std::string> replayed_;
};

void run_seeds(unknown_policy on_unknown) {
  int forwards = 0;
  for (std::uint64_t seed = 0; seed < 1'500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed, on_unknown);
    w.run();
    forwards += w.forwards();
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(forwards, 1'500);  // The runs are not empty ones.
}

TEST(exchange_property, an_operation_takes_effect_at_most_once_where_unknown_is_refused) {
  run_seeds(unknown_policy::refuse);
}
TEST(exchange_property, an_operation_takes_effect_at_most_once_where_the_upstream_is_probed) {
  run_seeds(unknown_policy::probe);
}
TEST(exchange_property, a_grant_is_forwarded_once_where_unknown_is_redispatched) {
  run_seeds(unknown_policy::redispatch);
}

}  // namespace
}  // namespace onceward::core
