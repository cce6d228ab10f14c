// How replies come back, from one thread and from many.

#include <atomic>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "store_conformance.h"

namespace onceward::conformance {
namespace {

TEST_P(store_conformance, answers_each_of_many_outstanding_commands_once_under_its_tag) {
  constexpr std::uint64_t count = 2'000;
  std::map<std::uint64_t, std::uint64_t> key_of_tag;
  for (std::uint64_t key = 1; key <= count; ++key)
    key_of_tag[sink().submit(stored(), claim_of(key, key))] = key;
  for (const auto& [tag, key] : key_of_tag)
    EXPECT_EQ(kind_of(sink().wait(tag)), "claim_granted") << key;
}

TEST_P(store_conformance, answers_through_the_sink_that_the_command_came_with) {
  std::vector<std::unique_ptr<collecting_sink>> sinks;
  for (int i = 0; i < 5; ++i)
    sinks.push_back(std::make_unique<collecting_sink>());
  std::vector<std::vector<std::uint64_t>> tags(sinks.size());
  for (std::uint64_t key = 1; key <= 200; ++key) {
    for (std::size_t i = 0; i < sinks.size(); ++i)
      tags[i].push_back(sinks[i]->submit(stored(), find{key_of(key)}));
  }
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    for (const std::uint64_t tag : tags[i])
      EXPECT_EQ(kind_of(sinks[i]->wait(tag)), "record_absent");
    EXPECT_EQ(sinks[i]->unexpected(), 0u);
  }
}

TEST_P(store_conformance, decides_commands_of_one_thread_for_one_key_in_their_order) {
  const std::uint64_t claimed = sink().submit(stored(), claim_of(1, 11));
  const std::uint64_t repeated = sink().submit(stored(), claim_of(1, 11));
  const std::uint64_t duplicate = sink().submit(stored(), claim_of(1, 12));
  const std::uint64_t completed = sink().submit(stored(), completed_of(1, 11));
  const std::uint64_t found = sink().submit(stored(), find{key_of(1)});
  EXPECT_EQ(kind_of(sink().wait(claimed)), "claim_granted");
  EXPECT_EQ(kind_of(sink().wait(repeated)), "claim_granted");
  EXPECT_EQ(kind_of(sink().wait(duplicate)), "record_in_flight");
  EXPECT_EQ(kind_of(sink().wait(completed)), "applied");
  EXPECT_EQ(kind_of(sink().wait(found)), "record_completed");
}

TEST_P(store_conformance, answers_what_was_gathered_once_it_is_flushed) {
  constexpr std::uint64_t count = 300;
  std::map<std::uint64_t, std::uint64_t> key_of_tag;
  for (std::uint64_t key = 1; key <= count; ++key)
    key_of_tag[sink().gather(stored(), claim_of(key, key))] = key;
  stored().flush(caller::idle);
  for (const auto& [tag, key] : key_of_tag)
    EXPECT_EQ(kind_of(sink().wait(tag)), "claim_granted") << key;
  EXPECT_EQ(sink().unexpected(), 0u);
}

TEST_P(store_conformance, decides_gathered_and_submitted_commands_of_one_thread_in_their_order) {
  const std::uint64_t claimed = sink().gather(stored(), claim_of(1, 11));
  const std::uint64_t duplicate = sink().submit(stored(), claim_of(1, 12));
  const std::uint64_t completed = sink().gather(stored(), completed_of(1, 11));
  const std::uint64_t found = sink().gather(stored(), find{key_of(1)});
  stored().flush(caller::busy);
  EXPECT_EQ(kind_of(sink().wait(claimed)), "claim_granted");
  EXPECT_EQ(kind_of(sink().wait(duplicate)), "record_in_flight");
  EXPECT_EQ(kind_of(sink().wait(completed)), "applied");
  EXPECT_EQ(kind_of(sink().wait(found)), "record_completed");
}

TEST_P(store_conformance, makes_nobody_who_submits_wait_for_anothers_flush) {
  collecting_sink others;
  const std::uint64_t gathered = others.gather(stored(), claim_of(1, 11));
  std::thread([&] {
    collecting_sink own;
    EXPECT_EQ(kind_of(own.ask(stored(), claim_of(2, 21))), "claim_granted");
    EXPECT_EQ(kind_of(own.ask(stored(), completed_of(2, 21))), "applied");
  }).join();
  stored().flush(caller::busy);
  EXPECT_EQ(kind_of(others.wait(gathered)), "claim_granted");
}

TEST_P(store_conformance, has_nothing_to_do_in_a_flush_without_anything_gathered) {
  stored().flush(caller::busy);
  expect<claim_granted>(claim_of(1, 11));
  stored().flush(caller::busy);
  expect<applied>(completed_of(1, 11));
}

constexpr std::uint64_t thread_count = 50;

template <typename Work>
void in_threads(Work work) {
  std::vector<std::thread> threads;
  std::atomic<bool> start = false;
  for (std::uint64_t number = 0; number < thread_count; ++number) {
    threads.emplace_back([&, number] {
      start.wait(false);
      work(number);
    });
  }
  start = true;
  start.notify_all();
  for (std::thread& each : threads)
    each.join();
}

TEST_P(store_conformance, grants_a_key_to_exactly_one_of_fifty_threads) {
  constexpr std::uint64_t keys = 20;
  std::array<std::atomic<int>, keys> grants{};
  in_threads([&](std::uint64_t thread) {
    collecting_sink own;
    for (std::uint64_t key = 0; key < keys; ++key) {
      const reply answer = own.ask(stored(), claim_of(key, 1'000 + thread));
      if (std::holds_alternative<claim_granted>(answer)) {
        ++grants[key];
      } else {
        EXPECT_EQ(kind_of(answer), "record_in_flight");
      }
    }
  });
  for (std::uint64_t key = 0; key < keys; ++key)
    EXPECT_EQ(grants[key], 1) << "key " << key;
}

TEST_P(store_conformance, answers_all_that_fifty_threads_gather_and_flush) {
  constexpr std::uint64_t rounds = 20;
  constexpr std::uint64_t gathered_at_once = 5;
  in_threads([&](std::uint64_t thread) {
    collecting_sink own;
    for (std::uint64_t round = 0; round < rounds; ++round) {
      std::vector<std::uint64_t> tags;
      for (std::uint64_t i = 0; i < gathered_at_once; ++i) {
        const std::uint64_t number = (thread * rounds + round) * gathered_at_once + i + 1;
        tags.push_back(own.gather(stored(), claim_of(number, number)));
      }
      stored().flush(thread % 2 == 0 ? caller::idle : caller::busy);
      for (const std::uint64_t tag : tags)
        EXPECT_EQ(kind_of(own.wait(tag)), "claim_granted");
    }
  });
}

TEST_P(store_conformance, lets_exactly_one_of_fifty_threads_take_over) {
  expect<claim_granted>(claim_of(1, 11));
  expect<applied>(unknown_of(1, 11));
  std::atomic<int> grants = 0;
  in_threads([&](std::uint64_t thread) {
    collecting_sink own;
    if (kind_of(own.ask(stored(), takeover_of(1, 1'000 + thread, 11))) == "claim_granted") ++grants;
  });
  EXPECT_EQ(grants, 1);
}

TEST_P(store_conformance, raises_fences_while_fifty_threads_claim_and_release) {
  std::mutex mutex;
  std::vector<fence> granted;  // Of the one key; each grant is noted before its release is submitted.
  in_threads([&](std::uint64_t thread) {
    collecting_sink own;
    for (std::uint64_t round = 0; round < 20; ++round) {
      const std::uint64_t attempt = 1 + thread * 1'000 + round;
      const reply answer = own.ask(stored(), claim_of(1, attempt));
      const auto* mine = std::get_if<claim_granted>(&answer);
      if (mine == nullptr) continue;
      {
        const std::lock_guard hold(mutex);
        granted.push_back(mine->token);
      }
      EXPECT_EQ(kind_of(own.ask(stored(), release_of(1, attempt))), "applied");
    }
  });
  ASSERT_FALSE(granted.empty());
  for (std::size_t i = 1; i < granted.size(); ++i)
    EXPECT_GT(granted[i], granted[i - 1]);
}

TEST_P(store_conformance, shows_every_thread_the_same_completed_record) {
  expect<claim_granted>(claim_of(1, 11));
  std::atomic<int> replays = 0;
  in_threads([&](std::uint64_t thread) {
    collecting_sink own;
    if (thread == 0) {
      EXPECT_EQ(kind_of(own.ask(stored(), completed_of(1, 11, "the answer"))), "applied");
      return;
    }
    for (;;) {
      const reply answer = own.ask(stored(), claim_of(1, 1'000 + thread));
      if (std::holds_alternative<record_in_flight>(answer)) continue;
      const auto* done = std::get_if<record_completed>(&answer);
      if (done != nullptr && *done->response == "the answer") ++replays;
      return;
    }
  });
  EXPECT_EQ(replays, static_cast<int>(thread_count) - 1);
}

TEST_P(store_conformance, delivers_what_is_outstanding_when_it_ends) {
  constexpr std::uint64_t count = 500;
  for (std::uint64_t key = 1; key <= count; ++key)
    sink().submit(stored(), claim_of(key, key));
  end();
  EXPECT_EQ(sink().answered(), count);
}

}  // namespace
}  // namespace onceward::conformance
