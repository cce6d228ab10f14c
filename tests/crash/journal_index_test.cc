// Keys that the index cannot tell apart: it knows 40 bits of each, and these have the first 64 in common.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine_rig.h"
#include "journal_rig.h"
#include "reply_text.h"
#include "sample_commands.h"
#include "simulated_disk.h"
#include "stores/journal/index_file.h"
#include "stores/journal/segment_header.h"
#include "stores/journal_check/repair.h"
#include "stores/journal_check/verify.h"

namespace onceward::crash {
namespace {

constexpr std::uint64_t alike = 6;
constexpr std::size_t bytes_in_common = 8;

record_key alike_key(std::uint64_t number) {
  record_key key = conformance::key_of(number);
  const record_key first = conformance::key_of(0);
  std::copy_n(first.bytes.begin(), bytes_in_common, key.bytes.begin());
  return key;
}

template <typename Command>
Command with_key(Command what, std::uint64_t number) {
  what.key = alike_key(number);
  return what;
}

std::string response_of(std::uint64_t number, std::size_t bytes) {
  return "response " + std::to_string(number) + std::string(bytes, 'r');
}

// The key's record is the one that was made for it, or there is none.
void expect_own(journal_rig& rig, std::uint64_t number, std::size_t bytes) {
  const reply is = rig.ask(find{alike_key(number)});
  const auto* done = std::get_if<record_completed>(&is);
  ASSERT_NE(done, nullptr) << number << ": " << conformance::to_text(is);
  EXPECT_EQ(*done->response, response_of(number, bytes));
}

void make(journal_rig& rig, std::uint64_t number, std::size_t bytes) {
  EXPECT_EQ(conformance::kind_of(rig.ask(with_key(conformance::claim_of(number, number), number))), "claim_granted");
  EXPECT_EQ(conformance::kind_of(
                rig.ask(with_key(conformance::completed_of(number, number, response_of(number, bytes)), number))),
            "applied");
}

// Others, so that the log goes on to further segments.
void fill_segments(journal_rig& rig, std::uint64_t generation) {
  for (std::uint64_t attempt = 100; rig.newest_segment().generation < generation; ++attempt) {
    rig.ask(conformance::claim_of(50, attempt));
    rig.ask(conformance::release_of(50, attempt));
  }
}

// Where the second segment begins.
std::uint64_t first_of_second(journal_rig& rig) {
  for (const std::string& each : rig.disk().snapshot().names()) {
    if (each.ends_with(".index") || each == "lock") continue;
    const auto header = journal::decode_segment_header(rig.disk().snapshot().read(each).first(journal::block_bytes));
    if (header && *header && (**header).generation == 2) return (**header).first_sequence;
  }
  return 0;
}

TEST(journal_index, tells_keys_apart_that_are_alike) {
  journal::options chosen = small_journal();
  chosen.cache_bytes = 0;
  journal_rig rig(0, chosen);
  ASSERT_FALSE(rig.open(journal::run_by::steps));
  for (std::uint64_t number = 0; number < alike; ++number)
    make(rig, number, 10);
  for (std::uint64_t number = 0; number < alike; ++number)
    expect_own(rig, number, 10);
  EXPECT_EQ(conformance::kind_of(rig.ask(find{alike_key(alike)})), "record_absent");
  EXPECT_EQ(rig.opened().statistics().records, alike);
}

TEST(journal_index, tells_keys_apart_that_are_alike_when_it_is_read_again) {
  journal::options chosen = small_journal();
  chosen.cache_bytes = 0;
  journal_rig rig(0, chosen);
  // Of each key, the claim in one segment and the outcome in the next, and between them others'.
  for (std::uint64_t number = 0; number < alike; ++number) {
    ASSERT_FALSE(rig.open(journal::run_by::steps));
    EXPECT_EQ(conformance::kind_of(rig.ask(with_key(conformance::claim_of(number, number), number))), "claim_granted");
    fill_segments(rig, rig.newest_segment().generation + 1);
    EXPECT_EQ(conformance::kind_of(
                  rig.ask(with_key(conformance::completed_of(number, number, response_of(number, 10)), number))),
              "applied");
    rig.close();
  }
  for (const bool with_index : {true, false}) {
    SCOPED_TRACE(with_index ? "with index files" : "without");
    if (!with_index) {
      for (const std::string& file : rig.disk().snapshot().names()) {
        if (file.ends_with(".index")) rig.disk().holds().erase(file);
      }
    }
    ASSERT_FALSE(rig.open(journal::run_by::steps));
    for (std::uint64_t number = 0; number < alike; ++number)
      expect_own(rig, number, 10);
    EXPECT_EQ(conformance::kind_of(rig.ask(find{alike_key(alike)})), "record_absent");
    EXPECT_EQ(rig.opened().statistics().records, alike + 1);
    rig.close();
  }
}

// With space in its first segment for all that a test writes.
journal::options roomy_journal() {
  journal::options chosen = small_journal();
  chosen.segment_bytes = 4u << 20;
  chosen.bytes_limit = 6 * chosen.segment_bytes;
  return chosen;
}

// Keys of which one shard has all.
std::vector<std::uint64_t> of_one_shard(std::size_t count) {
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t number = 0; numbers.size() < count; ++number) {
    if (journal::prefix_of(conformance::key_of(number)).shard() == 0) numbers.push_back(number);
  }
  return numbers;
}

void make(engine_rig& rig, std::uint64_t number, std::size_t bytes) {
  rig.ask(conformance::claim_of(number, number));
  EXPECT_EQ(conformance::kind_of(rig.ask(conformance::completed_of(number, number, response_of(number, bytes)))),
            "applied");
}

void ask_for(engine_rig& rig, std::uint64_t number) {
  EXPECT_EQ(conformance::kind_of(rig.ask(find{conformance::key_of(number)})), "record_completed");
}

bool is_in_memory(engine_rig& rig, std::uint64_t number) {
  return rig.shared().index.of(conformance::key_of(number)).find(conformance::key_of(number)) != nullptr;
}

// With room for all. A second request is rare, so that what only might be asked for is not kept.
TEST(journal_index, keeps_what_is_asked_for_and_of_the_rest_what_was_written_last) {
  const std::vector<std::uint64_t> keys = of_one_shard(40);
  constexpr std::size_t wanted = 3;
  journal::options chosen = roomy_journal();
  chosen.cache_bytes = 64u << 20;
  simulated_disk disk;
  engine_rig rig(disk, chosen);
  const auto in_memory = [&] {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (is_in_memory(rig, keys[i])) places.push_back(i);
    }
    return places;
  };

  for (std::size_t i = 0; i < keys.size(); ++i) {
    make(rig, keys[i], 10);
    if (i == wanted) ask_for(rig, keys[i]);
  }
  EXPECT_EQ(in_memory(), (std::vector<std::size_t>{wanted, 32, 33, 34, 35, 36, 37, 38, 39}));

  // What was read from the log is in memory from then on, too.
  ask_for(rig, keys[0]);
  EXPECT_EQ(in_memory(), (std::vector<std::size_t>{0, wanted, 32, 33, 34, 35, 36, 37, 38, 39}));
}

// With room for some. Whichever was written first.
TEST(journal_index, lets_go_first_of_what_was_asked_for_longest_ago) {
  const std::vector<std::uint64_t> keys = of_one_shard(60);
  constexpr std::size_t response_bytes = 1'000;
  journal::options chosen = roomy_journal();
  chosen.cache_bytes = journal::shard_count * 20 * response_bytes;
  simulated_disk disk;
  engine_rig rig(disk, chosen);
  for (const std::uint64_t key : keys) {
    make(rig, key, response_bytes);
    ask_for(rig, key);
    ask_for(rig, keys[0]);
  }
  EXPECT_TRUE(is_in_memory(rig, keys[0]));
  EXPECT_FALSE(is_in_memory(rig, keys[1]));
  EXPECT_TRUE(is_in_memory(rig, keys.back()));
  for (const std::uint64_t key : keys)
    ask_for(rig, key);
}

// What is superseded takes no space in the account, whoever says that it is: whether old segments are worth emptying
// hangs on it.
TEST(journal_index, counts_the_same_space_from_index_files_as_from_segments) {
  journal::options chosen = small_journal();
  chosen.bytes_limit = 32 * chosen.segment_bytes;
  journal_rig rig(0, chosen);
  ASSERT_FALSE(rig.open(journal::run_by::steps));
  for (std::uint64_t number = 0; number < 20; ++number)
    rig.ask(conformance::claim_of(number, number));
  fill_segments(rig, 2);
  for (std::uint64_t number = 0; number < 20; ++number)
    rig.ask(conformance::completed_of(number, number, std::string(500, 'r')));
  fill_segments(rig, 4);
  rig.close();
  const auto live_bytes = [&](platter holds) {
    simulated_disk disk(std::move(holds));
    engine_rig opened(disk, chosen);
    return opened.shared().segments.live_bytes();
  };
  platter without = rig.disk().snapshot();
  for (const std::string& file : without.names()) {
    if (file.ends_with(".index")) without.erase(file);
  }
  EXPECT_EQ(live_bytes(rig.disk().snapshot()), live_bytes(without));
}

// One that says what is not so is found out by reading the segments, and taken away by a repair.
TEST(journal_index, is_removed_where_it_lies) {
  journal_rig rig(0);
  ASSERT_FALSE(rig.open(journal::run_by::steps));
  make(rig, 0, 10);
  fill_segments(rig, 3);
  rig.close();
  std::string file;
  for (const std::string& each : rig.disk().snapshot().names()) {
    if (each.ends_with(".index") && file.empty()) file = each;
  }
  ASSERT_NE(file, "");
  const auto mounted = rig.disk().mount();
  const auto before = journal::verify(*mounted, rig.now());
  ASSERT_TRUE(before);
  EXPECT_TRUE(before->is_sound());
  EXPECT_EQ(before->indexes.right, 2u);

  // A sound index of this segment that lists nothing.
  journal::block_buffer memory;
  const auto header = journal::decode_segment_header(
      rig.disk().snapshot().read(file.substr(0, file.size() - 6)).first(journal::block_bytes));
  ASSERT_TRUE(header && *header);
  const std::uint64_t next = (**header).generation == 1 ? first_of_second(rig) : 0;
  ASSERT_GT(next, 0u);
  const auto empty = journal::encode_index({(**header).generation, (**header).first_sequence, next}, {}, memory);
  rig.disk().holds().bytes_of(file).assign(empty.begin(), empty.end());
  const auto lying = journal::verify(*mounted, rig.now());
  ASSERT_TRUE(lying);
  EXPECT_FALSE(lying->is_sound());
  ASSERT_EQ(lying->indexes.wrong.size(), 1u);
  EXPECT_EQ(lying->indexes.wrong.front().file, file);

  const auto repaired = journal::repair(*mounted, rig.now(), {});
  ASSERT_TRUE(repaired);
  EXPECT_EQ(repaired->indexes_removed.size(), 1u);
  EXPECT_TRUE(journal::verify(*mounted, rig.now())->is_sound());
  ASSERT_FALSE(rig.open(journal::run_by::steps));
  expect_own(rig, 0, 10);
}

// A listing has no key but from the log for those that are there only.
TEST(journal_index, lists_unknown_records_that_are_in_the_log_only_in_the_order_of_their_keys) {
  journal::options chosen = small_journal();
  chosen.cache_bytes = 0;
  constexpr std::uint64_t count = 40;
  journal_rig rig(0, chosen);
  ASSERT_FALSE(rig.open(journal::run_by::steps));
  std::vector<record_key> expected;
  for (std::uint64_t number = 0; number < count; ++number) {
    const record_key key = number < alike ? alike_key(number) : conformance::key_of(number);
    claim asked = conformance::claim_of(number, number);
    complete ended = conformance::unknown_of(number, number);
    asked.key = ended.key = key;
    rig.ask(asked);
    rig.ask(ended);
    expected.push_back(key);
  }
  std::sort(expected.begin(), expected.end());

  std::vector<record_key> listed;
  record_key after{};
  for (;;) {
    const reply page = rig.ask(list_unknown{after, 7});
    ASSERT_EQ(conformance::kind_of(page), "unknown_listed");
    const auto& items = std::get<unknown_listed>(page).items;
    if (items.empty()) break;
    EXPECT_LE(items.size(), 7u);
    for (const auto& each : items)
      listed.push_back(each.key);
    after = listed.back();
  }
  EXPECT_EQ(listed, expected);
}

}  // namespace
}  // namespace onceward::crash
