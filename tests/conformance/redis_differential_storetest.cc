// Random commands to the memory store and to Redis, under one clock: the same replies, but for the numbers of the
// fences, of which only the order means something.

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "collecting_sink.h"
#include "random_commands.h"
#include "redis_server.h"
#include "reply_text.h"
#include "settable_clock.h"
#include "stores/memory/memory_store.h"

namespace onceward::conformance {
namespace {

constexpr std::uint64_t seeds = 24;
constexpr int groups_per_seed = 150;
constexpr std::size_t group_size_max = 6;
constexpr std::uint64_t keys = 8;
// Some responses lie in their records, some beside them.
constexpr std::size_t body_bytes_max = 9'000;

class two_stores : public testing::TestWithParam<std::uint64_t> {
 protected:
  two_stores() : memory_({}, [this] { return clock_.now(); }) {
    // Servers begin when the one before ended: their clock does not go back.
    clock_.advance(std::chrono::hours{24 * 365} * GetParam());
    set_redis_clock(clock_.now());
    empty_redis();
    redis_ = open_redis({});
  }

  void advance(std::chrono::milliseconds by) {
    clock_.advance(by);
    set_redis_clock(clock_.now());
  }

  void compare(std::vector<command> group) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> asked;
    for (const command& each : group) {
      const std::uint64_t at_memory = memory_sink_.submit(memory_, each);
      asked.emplace_back(at_memory, redis_sink_.submit(*redis_, each));
    }
    for (std::size_t i = 0; i < group.size(); ++i) {
      const reply expected = memory_sink_.wait(asked[i].first);
      const reply actual = redis_sink_.wait(asked[i].second);
      // What has expired is gone from Redis by itself.
      if (std::holds_alternative<purge>(group[i])) {
        EXPECT_TRUE(std::holds_alternative<purged>(actual)) << to_text(actual);
        continue;
      }
      learn(expected, actual);
      EXPECT_EQ(with_fences_of_redis(to_text(expected)), to_text(actual)) << "command " << group[i].index();
    }
  }

 private:
  // A grant tells which of the two numbers belong together.
  void learn(const reply& expected, const reply& actual) {
    const auto* of_memory = std::get_if<claim_granted>(&expected);
    const auto* of_redis = std::get_if<claim_granted>(&actual);
    if (of_memory == nullptr || of_redis == nullptr) return;
    fences_.emplace(static_cast<std::uint64_t>(of_memory->token), static_cast<std::uint64_t>(of_redis->token));
  }

  std::string with_fences_of_redis(std::string text) const {
    constexpr std::string_view word = " fence=";
    for (std::size_t place = text.find(word); place != std::string::npos; place = text.find(word, place + 1)) {
      const std::size_t begin = place + word.size();
      const std::size_t end = text.find_first_not_of("0123456789", begin);
      const auto known = fences_.find(std::strtoull(text.c_str() + begin, nullptr, 10));
      if (known != fences_.end()) text.replace(begin, end - begin, std::to_string(known->second));
    }
    return text;
  }

  settable_clock clock_;
  collecting_sink memory_sink_, redis_sink_;
  memory_store::memory_store memory_;
  std::unique_ptr<redis::redis_store> redis_;
  std::map<std::uint64_t, std::uint64_t> fences_;
};

TEST_P(two_stores, reply_alike) {
  crash::random_commands commands(GetParam(), keys, body_bytes_max);
  for (int i = 0; i < groups_per_seed && !HasFailure(); ++i) {
    advance(commands.pause());
    compare(commands.next_group(group_size_max));
  }
}

INSTANTIATE_TEST_SUITE_P(seed, two_stores, testing::Range<std::uint64_t>(1, 1 + seeds));

}  // namespace
}  // namespace onceward::conformance
