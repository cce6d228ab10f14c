#include "stores/journal/cold_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

namespace onceward::journal {
namespace {

using namespace std::chrono_literals;

using identity = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;

identity identity_of(const cold_record& what) {
  return {what.tag, what.segment, what.offset};
}

cold_record any_record(std::mt19937_64& random, std::uint32_t tag_max) {
  return {.tag = static_cast<std::uint32_t>(random() % (std::uint64_t{tag_max} + 1)),
          .segment = static_cast<std::uint32_t>(random() % segments_max),
          .offset = static_cast<std::uint32_t>(random() % (1u << 30)),
          .bytes = rounded_entry_bytes(random() % 100'000),
          .kind = state_kind{static_cast<std::uint8_t>(1 + random() % 4)},
          .expires_at = wall_time{500ms * static_cast<std::int64_t>(random() % 10'000'000'000)}};
}

TEST(cold_table, rounds_lengths_up_by_an_eighth_at_most) {
  for (std::uint64_t bytes = 1; bytes <= 128u << 20; bytes += 1 + bytes / 97) {
    const std::uint64_t rounded = rounded_entry_bytes(bytes);
    EXPECT_GE(rounded, bytes);
    EXPECT_LE(rounded, std::max<std::uint64_t>(bytes + 15, bytes + bytes / 8 + 32)) << bytes;
    EXPECT_EQ(rounded_entry_bytes(rounded), rounded);
  }
}

TEST(cold_table, gives_back_what_was_put_in) {
  cold_table table;
  const cold_record first{.tag = 0xffffffff,
                          .segment = segments_max - 1,
                          .offset = (1u << 30) - 1,
                          .bytes = rounded_entry_bytes(128u << 20),
                          .kind = state_kind::unknown,
                          .expires_at = wall_time{500ms * 3}};
  table.insert(first);
  EXPECT_EQ(table.find(first.tag, first.segment, first.offset), first);
  EXPECT_EQ(table.unknown(), 1u);
  EXPECT_EQ(table.find(first.tag, first.segment, 0), std::nullopt);
}

TEST(cold_table, rounds_the_end_of_a_record_up) {
  cold_table table;
  cold_record what{.tag = 1, .kind = state_kind::completed, .expires_at = wall_time{1'001ms}};
  table.insert(what);
  EXPECT_EQ(table.all_of(1).front().expires_at, wall_time{1'500ms});
  what = {.tag = 2, .kind = state_kind::in_flight, .expires_at = wall_time::max()};
  table.insert(what);
  EXPECT_EQ(table.all_of(2).front().expires_at, wall_time::max());
  // Beyond what it can say it says never.
  what = {.tag = 3, .kind = state_kind::completed, .expires_at = wall_time{24h * 365'000}};
  table.insert(what);
  EXPECT_EQ(table.all_of(3).front().expires_at, wall_time::max());
}

TEST(cold_table, says_what_a_map_says) {
  for (const std::uint32_t tag_max : {0u, 40u, 0xffffffffu}) {
    std::mt19937_64 random(tag_max + 1);
    cold_table table;
    std::map<identity, cold_record> model;
    for (int turn = 0; turn < 6'000; ++turn) {
      const bool grows = turn % 1'500 < 1'000;
      if (random() % 10 < (grows ? 7u : 3u)) {
        const cold_record what = any_record(random, tag_max);
        if (model.emplace(identity_of(what), what).second) table.insert(what);
      } else if (!model.empty()) {
        auto victim = model.lower_bound({static_cast<std::uint32_t>(random()), 0, 0});
        if (victim == model.end()) victim = model.begin();
        const auto [tag, segment, offset] = victim->first;
        EXPECT_TRUE(table.erase(tag, segment, offset));
        EXPECT_FALSE(table.erase(tag, segment, offset));
        model.erase(victim);
      }
      if (turn % 1'999 == 0) {
        const auto unwanted = [](const cold_record& each) { return each.offset % 3 == 0; };
        std::size_t expected = std::erase_if(model, [&](const auto& each) { return unwanted(each.second); });
        EXPECT_EQ(table.erase_if(unwanted), expected);
      }
      ASSERT_EQ(table.size(), model.size());
      if (turn % 500 != 0) continue;
      std::map<identity, cold_record> seen;
      table.for_each([&](const cold_record& each) { seen.emplace(identity_of(each), each); });
      EXPECT_EQ(seen, model);
      EXPECT_EQ(table.unknown(),
                static_cast<std::size_t>(std::count_if(model.begin(), model.end(), [](const auto& each) {
                  return each.second.kind == state_kind::unknown;
                })));
      for (const auto& [which, what] : model) {
        ASSERT_EQ(table.find(what.tag, what.segment, what.offset), what);
        const auto all = table.all_of(what.tag);
        EXPECT_NE(std::find(all.begin(), all.end(), what), all.end());
        EXPECT_TRUE(table.has_any_of(what.tag));
      }
    }
  }
}

TEST(cold_table, takes_twenty_four_bytes_a_record_at_most) {
  std::mt19937_64 random(7);
  cold_table table;
  for (std::size_t count = 1; count <= 200'000; ++count) {
    table.insert(any_record(random, 0xffffffffu));
    if (count < 10'000) continue;
    ASSERT_LE(table.memory_bytes(), 24 * count) << count;
  }
}

}  // namespace
}  // namespace onceward::journal
