#include "stores/failover/guarded_store.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "stores/memory/memory_store.h"
#include "tests/conformance/collecting_sink.h"
#include "tests/conformance/reply_text.h"
#include "tests/conformance/sample_commands.h"
#include "tests/conformance/settable_clock.h"

namespace onceward::failover {
namespace {

using namespace std::chrono_literals;
using namespace conformance;

// A store whose server can be changed for another one, and can be out of reach or slow.
class changeable_store final : public store {
 public:
  explicit changeable_store(store& server) : server_(&server) {}

  void submit(command what, reply_sink& sink, std::uint64_t tag) override {
    if (slow) return queued_.push_back({std::move(what), &sink, tag});
    if (!down) return server_.load()->submit(std::move(what), sink, tag);
    tagged_reply refusal{tag, store_failure{certainty::definite, errc::unavailable}};
    sink.deliver({&refusal, 1});
  }
  store_statistics statistics() const override { return server_.load()->statistics(); }

  void change(store& server) { server_ = &server; }
  void catch_up() {
    slow = false;
    for (auto& each : std::exchange(queued_, {}))
      submit(std::move(each.what), *each.sink, each.tag);
  }

  std::atomic<bool> down = false;
  bool slow = false;

 private:
  struct queued {
    command what;
    reply_sink* sink;
    std::uint64_t tag;
  };
  std::atomic<store*> server_;
  std::vector<queued> queued_;
};

class guarded : public testing::Test {
 protected:
  guarded() {
    auto made = std::make_unique<changeable_store>(first);
    way = made.get();
    stored.guard(std::move(made));
  }

  reply ask(command what) { return sink.ask(stored, std::move(what)); }
  std::string ask_kind(command what) { return kind_of(ask(std::move(what))); }
  void fail_over() {
    way->change(second);
    stored.server_changed();
  }
  // Claims and completes at the first server; `replicated`: at the second, too.
  void run(std::uint64_t key, bool replicated) {
    ASSERT_EQ(ask_kind(claim_of(key, key)), "claim_granted");
    ASSERT_EQ(ask_kind(completed_of(key, key)), "applied");
    if (!replicated) return;
    sink.ask(second, claim_of(key, key));
    sink.ask(second, completed_of(key, key));
  }
  std::uint64_t lost() const { return stored.statistics().records_lost; }

  settable_clock clock;
  memory_store::memory_store first{{}, [this] { return clock.now(); }};
  memory_store::memory_store second{{}, [this] { return clock.now(); }};
  collecting_sink sink;
  std::vector<record_key> told;
  guarded_store stored{
      {.now = [] { return base::moment{}; }, .tell_lost = [this](const record_key& key) { told.push_back(key); }}};
  changeable_store* way;
};

TEST_F(guarded, a_completed_record_that_was_lost_is_unknown_to_everybody) {
  run(1, false);
  fail_over();
  EXPECT_EQ(ask_kind(claim_of(1, 100)), "record_unknown");
  EXPECT_EQ(kind_of(sink.ask(second, find{key_of(1)})), "record_unknown") << "without anybody's having asked";
  EXPECT_EQ(stored.statistics().failovers, 1u);
  EXPECT_EQ(lost(), 1u);
  EXPECT_EQ(told, std::vector{key_of(1)});
}

TEST_F(guarded, what_the_new_server_has_is_not_lost) {
  run(1, true);
  fail_over();
  EXPECT_EQ(ask_kind(claim_of(1, 100)), "record_completed");
  EXPECT_EQ(stored.statistics().failovers, 1u);
  EXPECT_EQ(lost(), 0u);
}

TEST_F(guarded, an_attempt_whose_grant_was_lost_goes_on) {
  ASSERT_EQ(ask_kind(claim_of(1, 1)), "claim_granted");
  fail_over();
  EXPECT_EQ(ask_kind(claim_of(1, 2)), "record_in_flight");
  EXPECT_EQ(ask_kind(renew_of(1, 1)), "applied");
  EXPECT_EQ(ask_kind(completed_of(1, 1)), "applied");
  EXPECT_EQ(ask_kind(claim_of(1, 2)), "record_completed");
  EXPECT_EQ(lost(), 1u);
}

TEST_F(guarded, what_was_released_may_run_again) {
  ASSERT_EQ(ask_kind(claim_of(1, 1)), "claim_granted");
  ASSERT_EQ(ask_kind(release_of(1, 1)), "applied");
  fail_over();
  EXPECT_EQ(ask_kind(claim_of(1, 2)), "claim_granted");
  EXPECT_EQ(lost(), 0u);
}

TEST_F(guarded, commands_that_were_on_their_way_do_not_pass_the_restoration) {
  run(1, false);
  ASSERT_EQ(ask_kind(claim_of(2, 2)), "claim_granted");
  way->slow = true;
  const auto claims = sink.submit(stored, claim_of(1, 100));
  const auto completes = sink.submit(stored, completed_of(2, 2));
  const auto claims_new = sink.submit(stored, claim_of(3, 3));
  fail_over();
  way->catch_up();
  EXPECT_EQ(kind_of(sink.wait(claims)), "record_unknown") << "though the new server granted it";
  EXPECT_EQ(kind_of(sink.wait(completes)), "applied") << "though the new server had no such attempt";
  EXPECT_EQ(kind_of(sink.wait(claims_new)), "claim_granted");
  EXPECT_EQ(lost(), 2u);
}

TEST_F(guarded, a_server_that_does_not_answer_is_asked_again_when_it_is_back) {
  run(1, false);
  run(2, false);
  way->down = true;
  fail_over();
  const reply refused = ask(claim_of(1, 100));
  ASSERT_EQ(kind_of(refused), "store_failure");
  EXPECT_EQ(std::get<store_failure>(refused).effect, certainty::definite);
  EXPECT_EQ(lost(), 0u);
  way->down = false;
  // Asked for, before the store says that it is back; and not asked for.
  EXPECT_EQ(ask_kind(claim_of(1, 100)), "record_unknown");
  stored.reconnected();
  EXPECT_EQ(kind_of(sink.ask(second, find{key_of(2)})), "record_unknown");
  EXPECT_EQ(lost(), 2u);
}

TEST_F(guarded, a_second_failover_loses_nothing_that_was_restored_unnoticed) {
  run(1, false);
  fail_over();
  memory_store::memory_store third{{}, [this] { return clock.now(); }};
  way->change(third);
  stored.server_changed();
  EXPECT_EQ(ask_kind(claim_of(1, 100)), "record_unknown");
  EXPECT_EQ(lost(), 2u);
  EXPECT_EQ(stored.statistics().failovers, 2u);
}

TEST_F(guarded, many_are_looked_for_in_groups) {
  for (std::uint64_t key = 1; key <= 1'000; ++key)
    run(key, key % 2 == 0);
  fail_over();
  EXPECT_EQ(lost(), 500u);
}

TEST_F(guarded, an_end_while_the_server_is_away_answers_everything) {
  run(1, false);
  way->slow = true;
  const auto before = sink.submit(stored, claim_of(1, 100));
  fail_over();
  const auto after = sink.submit(stored, claim_of(1, 101));
  way->catch_up();
  EXPECT_EQ(kind_of(sink.wait(before)), "record_unknown");
  EXPECT_EQ(kind_of(sink.wait(after)), "record_unknown");
}

TEST(guarded_store, that_only_counts_passes_everything_on) {
  settable_clock clock;
  memory_store::memory_store first{{}, [&] { return clock.now(); }};
  memory_store::memory_store second{{}, [&] { return clock.now(); }};
  collecting_sink sink;
  guarded_store stored{{.restores = false, .now = {}, .tell_lost = {}}};
  auto way = std::make_unique<changeable_store>(first);
  changeable_store& changes = *way;
  stored.guard(std::move(way));
  sink.ask(stored, claim_of(1, 1));
  sink.ask(stored, completed_of(1, 1));
  changes.change(second);
  stored.server_changed();
  EXPECT_EQ(kind_of(sink.ask(stored, claim_of(1, 2))), "claim_granted");
  EXPECT_EQ(stored.statistics().failovers, 1u);
  EXPECT_EQ(stored.statistics().records_lost, 0u);
}

// For the thread sanitizer: workers ask while the store's thread tells of failovers.
TEST_F(guarded, failovers_meet_commands_of_many_threads) {
  std::vector<std::thread> workers;
  std::array<collecting_sink, 3> sinks;
  for (std::uint64_t worker = 0; worker < sinks.size(); ++worker) {
    workers.emplace_back([&, worker] {
      for (std::uint64_t i = 1; i <= 300; ++i) {
        const std::uint64_t key = worker * 1'000 + i;
        sinks[worker].ask(stored, claim_of(key, key));
        sinks[worker].ask(stored, completed_of(key, key));
        sinks[worker].ask(stored, claim_of(key, key + 500));
      }
    });
  }
  for (int i = 0; i < 10; ++i) {
    way->change(i % 2 == 0 ? second : first);
    stored.server_changed();
  }
  for (std::thread& each : workers)
    each.join();
  EXPECT_EQ(stored.statistics().failovers, 10u);
}

}  // namespace
}  // namespace onceward::failover
