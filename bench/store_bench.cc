#include "store_bench.h"

#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <semaphore>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "onceward/store.h"

namespace onceward::bench {
namespace {

constexpr std::ptrdiff_t outstanding_max = 4'096;
constexpr std::size_t commands_each = 20'000;

// Lets as many be outstanding as it has places, and remembers whether all went well.
class counting_sink final : public reply_sink {
 public:
  void deliver(std::span<tagged_reply> replies) override {
    for (const tagged_reply& each : replies) {
      const bool good = std::holds_alternative<claim_granted>(each.value) ||
                        std::holds_alternative<applied>(each.value) ||
                        std::holds_alternative<record_completed>(each.value);
      if (!good) ++failures_;
    }
    places_.release(static_cast<std::ptrdiff_t>(replies.size()));
  }

  void submit(store& to, command what) {
    places_.acquire();
    to.submit(std::move(what), *this, 0);
  }
  void wait_for_all() {
    for (std::ptrdiff_t i = 0; i < outstanding_max; ++i)
      places_.acquire();
    places_.release(outstanding_max);
  }
  std::size_t failures() const { return failures_; }

 private:
  std::counting_semaphore<outstanding_max> places_{outstanding_max};
  std::atomic<std::size_t> failures_{0};
};

claim next_claim(base::random_source& random) {
  static const auto fingerprint = std::make_shared<const std::string>(100, 'f');
  return {.key = {random.take<32>()},
          .attempt = {random.take<16>()},
          .lease = std::chrono::seconds{30},
          .retention = std::chrono::hours{24},
          .fingerprint = fingerprint};
}

void finish(benchmark::State& state, counting_sink& sink, std::size_t commands) {
  if (sink.failures() != 0) state.SkipWithError("a command was not carried out");
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(commands));
}

void claims(benchmark::State& state) {
  base::random_source random;
  counting_sink sink;
  for (auto _ : state) {
    for (std::size_t i = 0; i < commands_each; ++i)
      sink.submit(store_to_measure(), next_claim(random));
    sink.wait_for_all();
  }
  finish(state, sink, commands_each);
}
BENCHMARK(claims)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(5);

// A claim and, when all are granted, the outcome with a response of 400 bytes.
void claims_and_outcomes(benchmark::State& state) {
  base::random_source random;
  counting_sink sink;
  const auto response = std::make_shared<const std::string>(400, 'r');
  const auto tombstone = std::make_shared<const std::string>(16, 't');
  for (auto _ : state) {
    std::vector<claim> granted;
    for (std::size_t i = 0; i < commands_each; ++i) {
      granted.push_back(next_claim(random));
      sink.submit(store_to_measure(), granted.back());
    }
    sink.wait_for_all();
    for (const claim& each : granted) {
      sink.submit(store_to_measure(), complete{each.key, each.attempt,
                                               outcome_completed{response, tombstone, each.retention, each.retention}});
    }
    sink.wait_for_all();
  }
  finish(state, sink, 2 * commands_each);
}
BENCHMARK(claims_and_outcomes)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(3);

// Duplicates of completed requests: read, not written.
void replays(benchmark::State& state) {
  base::random_source random;
  counting_sink sink;
  const auto response = std::make_shared<const std::string>(400, 'r');
  std::vector<claim> kept;
  for (std::size_t i = 0; i < 1'000; ++i) {
    kept.push_back(next_claim(random));
    sink.submit(store_to_measure(), kept.back());
    sink.submit(store_to_measure(),
                complete{kept.back().key, kept.back().attempt,
                         outcome_completed{response, response, kept.back().retention, kept.back().retention}});
  }
  sink.wait_for_all();
  for (auto _ : state) {
    for (std::size_t i = 0; i < commands_each; ++i) {
      claim duplicate = kept[i % kept.size()];
      duplicate.attempt = {random.take<16>()};
      sink.submit(store_to_measure(), std::move(duplicate));
    }
    sink.wait_for_all();
  }
  finish(state, sink, commands_each);
}
BENCHMARK(replays)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(5);

}  // namespace
}  // namespace onceward::bench
