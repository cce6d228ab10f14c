#include "io/exchange_shell.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/outcome.h"
#include "core/record.h"
#include "core/record_codec.h"
#include "net/wake_up.h"

namespace onceward::io {
namespace {

using std::chrono::milliseconds;

// Keeps one record by the real rules, and each reply until the test lets it go.
class held_store final : public store {
 public:
  void submit(command what, reply_sink& sink, std::uint64_t tag) override {
    const core::record* before = record_ ? &*record_ : nullptr;
    core::decision made{record_absent{}, std::nullopt};
    if (const auto* c = std::get_if<claim>(&what)) made = core::decide(before, *c, wall_time{}, fence{++fences_});
    if (const auto* d = std::get_if<complete>(&what)) made = core::decide(before, *d, wall_time{});
    if (const auto* r = std::get_if<release>(&what)) made = core::decide(before, *r, wall_time{});
    if (const auto* n = std::get_if<renew>(&what)) {
      made = core::decide(before, *n, wall_time{});
      ++renewals;
    }
    if (std::holds_alternative<find>(what) && before != nullptr) made.answer = core::describe(*before, wall_time{});
    if (made.after) record_ = made.after;
    held_.push_back({&sink, {tag, made.answer}});
  }
  void flush(caller is) override {
    ++flushes;
    flusher = is;
  }
  store_statistics statistics() const override { return {}; }

  void deliver_all() {
    for (auto& [sink, reply] : std::exchange(held_, {}))
      sink->deliver({&reply, 1});
  }

  int renewals = 0;
  int flushes = 0;
  caller flusher{};

 private:
  std::optional<core::record> record_;
  std::uint64_t fences_ = 0;
  std::vector<std::pair<reply_sink*, tagged_reply>> held_;
};

struct no_meter final : store_meter {
  void store_replied(std::size_t, const reply&, std::chrono::microseconds) override {}
};

struct fake_host final : exchange_host {
  void forward(std::uint32_t, fence) override {
    ++forwards;
    if (on_forward) on_forward();
  }
  void pass_unguarded() override {}
  void probe() override { ++probes; }
  void respond(core::response_source source) override { answers.push_back(std::move(source)); }
  void note(core::noted) override {}
  void finished() override { done = true; }

  int forwards = 0;
  int probes = 0;
  std::function<void()> on_forward;
  std::vector<core::response_source> answers;
  bool done = false;
};

struct exchange_shell_test : testing::Test {
  exchange_shell_test() {
    rules.outcomes = core::default_outcomes();
    rules.lease = milliseconds{90};
    print = std::make_shared<const std::string>("print");
  }
  std::unique_ptr<exchange_shell> make(fake_host& host, int number) {
    attempt_id id;
    id.bytes[0] = static_cast<std::byte>(number);
    return std::make_unique<exchange_shell>(context, core::exchange_identity{record_key{}, id, print}, waiter_scope{1},
                                            rules, host);
  }
  void settle() {
    records.deliver_all();
    settled.notify();
    loop.run();
  }
  core::upstream_answer answer() const {
    return {201, std::nullopt, std::nullopt, std::make_shared<const std::string>("kept"),
            core::write_tombstone({201, ""})};
  }

  net::loop loop;
  held_store records;
  mailbox replies{loop};
  net::wake_up settled{loop, [this] { loop.stop(); }};  // Heard after the mail that came before it.
  waiting_room waiters{{10, 10, 10}};
  no_meter meter;
  worker_context context{loop, records, replies, waiters, meter};
  core::policy rules;
  shared_bytes print;
};

TEST_F(exchange_shell_test, leaves_the_commands_of_a_turn_to_one_flush) {
  fake_host first_host;
  fake_host second_host;
  auto first = make(first_host, 1);
  auto second = make(second_host, 2);
  context.flush(caller::idle);
  EXPECT_EQ(records.flushes, 0);
  first->start();
  second->start();
  EXPECT_EQ(records.flushes, 0);
  context.flush(caller::idle);
  context.flush(caller::idle);
  EXPECT_EQ(records.flushes, 1);
  EXPECT_EQ(records.flusher, caller::idle);
}

TEST_F(exchange_shell_test, says_to_the_store_who_flushes) {
  fake_host host;
  auto shell = make(host, 1);
  shell->start();
  context.flush(caller::busy);
  EXPECT_EQ(records.flusher, caller::busy);
}

TEST_F(exchange_shell_test, carries_a_first_execution_from_claim_to_answer) {
  fake_host host;
  auto shell = make(host, 1);
  shell->start();
  EXPECT_EQ(host.forwards, 0);
  settle();
  EXPECT_EQ(host.forwards, 1);
  shell->upstream_ended(answer());
  EXPECT_TRUE(host.answers.empty()) << "answered before the store acknowledged";
  settle();
  ASSERT_EQ(host.answers.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<core::respond_live>(host.answers[0]));
  EXPECT_TRUE(host.done);
}

TEST_F(exchange_shell_test, takes_an_end_that_the_host_reports_from_inside_forward) {
  fake_host host;
  auto shell = make(host, 1);
  host.on_forward = [&] { shell->upstream_ended(core::definite_failure::unreachable); };
  shell->start();
  settle();
  settle();
  ASSERT_EQ(host.answers.size(), 1u);
  EXPECT_EQ(std::get<core::respond_problem>(host.answers[0]).what.type, core::problem_type::upstream_unreachable);
  EXPECT_TRUE(host.done);
}

TEST_F(exchange_shell_test, a_duplicate_waits_and_is_woken_by_the_end_of_the_attempt) {
  fake_host owner_host;
  fake_host waiter_host;
  auto owner = make(owner_host, 1);
  auto waiter = make(waiter_host, 2);
  owner->start();
  settle();
  waiter->start();
  settle();
  settle();
  EXPECT_EQ(waiters.size(), 1u);
  owner->upstream_ended(answer());
  settle();
  settle();
  ASSERT_EQ(waiter_host.answers.size(), 1u);
  EXPECT_EQ(*std::get<core::respond_replay>(waiter_host.answers[0]).response, "kept");
  EXPECT_EQ(waiter_host.forwards, 0);
  EXPECT_EQ(waiters.size(), 0u);
}

struct probing_shells : exchange_shell_test {
  // The attempt before it ended with nobody knowing how.
  probing_shells() {
    fake_host before;
    auto attempt = make(before, 9);
    attempt->start();
    settle();
    attempt->upstream_ended(core::indefinite_failure::failed);
    settle();
    rules.on_unknown = core::unknown_policy::probe;
    for (int i = 0; i < 5; ++i)
      shells.push_back(make(hosts[static_cast<std::size_t>(i)], i));
  }
  void start_all() {
    for (const auto& each : shells)
      each->start();
    settle();
    settle();
    settle();
  }
  int probes() const {
    int all = 0;
    for (const fake_host& each : hosts)
      all += each.probes;
    return all;
  }
  core::probe_result found() const {
    return core::probe_found{std::make_shared<const std::string>("found"), core::write_tombstone({200, ""})};
  }
  std::array<fake_host, 5> hosts;
  std::vector<std::unique_ptr<exchange_shell>> shells;
};

TEST_F(probing_shells, one_probe_serves_all_duplicates) {
  start_all();
  EXPECT_EQ(probes(), 1);
  EXPECT_EQ(waiters.size(), 4u);
  shells[0]->probe_ended(found());
  for (int i = 0; i < 4; ++i)
    settle();
  for (const fake_host& each : hosts) {
    ASSERT_EQ(each.answers.size(), 1u);
    EXPECT_EQ(*std::get<core::respond_replay>(each.answers[0]).response, "found");
  }
  EXPECT_EQ(probes(), 1);
  EXPECT_EQ(waiters.size(), 0u);
}

TEST_F(probing_shells, when_the_one_that_probes_stops_another_goes_on_and_not_all) {
  start_all();
  shells[0]->client_gone();
  shells[0]->probe_ended(core::probe_verdict::still_running);
  EXPECT_TRUE(hosts[0].done);
  for (int i = 0; i < 4; ++i)
    settle();
  EXPECT_EQ(probes(), 2);
  EXPECT_EQ(waiters.size(), 3u);
}

TEST_F(probing_shells, one_that_is_destroyed_leaves_its_probe) {
  start_all();
  shells[0].reset();
  fake_host late;
  auto next = make(late, 7);
  next->start();
  for (int i = 0; i < 4; ++i)
    settle();
  EXPECT_EQ(late.probes, 1);
}

TEST_F(exchange_shell_test, a_shell_that_is_destroyed_leaves_the_waiters_and_hears_no_late_reply) {
  fake_host owner_host;
  fake_host waiter_host;
  auto owner = make(owner_host, 1);
  auto waiter = make(waiter_host, 2);
  owner->start();
  settle();
  waiter->start();
  settle();
  EXPECT_EQ(waiters.size(), 1u);
  waiter.reset();
  EXPECT_EQ(waiters.size(), 0u);
  settle();
  owner.reset();
  settle();
}

TEST_F(exchange_shell_test, renews_the_lease_while_the_upstream_works) {
  fake_host host;
  auto shell = make(host, 1);
  shell->start();
  settle();
  while (records.renewals < 3) {
    records.deliver_all();
    net::deadline turn(loop, [this] { loop.stop(); });
    turn.arm(loop.now() + milliseconds{5});
    loop.run();
  }
  shell->upstream_ended(answer());
  settle();
  EXPECT_TRUE(host.done);
}

}  // namespace
}  // namespace onceward::io
