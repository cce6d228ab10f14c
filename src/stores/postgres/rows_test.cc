#include "stores/postgres/rows.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace onceward::postgres {
namespace {

using std::chrono::milliseconds;

// A row as the server sends it.
class row {
 public:
  row& add(std::optional<std::string> column) {
    columns_.push_back(std::move(column));
    return *this;
  }
  template <typename Integer>
  row& number(Integer value) {
    std::string bytes;
    for (std::size_t i = sizeof value; i-- > 0;)
      bytes.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xff));
    return add(bytes);
  }
  std::vector<column_view> view() const { return {columns_.begin(), columns_.end()}; }
  std::optional<std::string>& operator[](std::size_t place) { return columns_[place]; }

 private:
  std::vector<std::optional<std::string>> columns_;
};

constexpr std::size_t state_place = 5;
constexpr std::size_t fingerprint_place = 11;
constexpr std::size_t tombstone_place = 12;

row row_in_state(std::int16_t state) {
  row made;
  made.add("\1").number(std::int64_t{1'000}).add(std::string(16, 'a')).number(std::int32_t{3}).number(std::int64_t{77});
  made.number(state).number(std::int64_t{100}).number(std::int64_t{200}).number(std::int64_t{5'000});
  made.number(std::int64_t{4'800});
  if (state == 2) {
    made.number(std::int64_t{4'000}).add("fingerprint").add("tombstone").add("body");
  } else {
    made.add(std::nullopt).add("fingerprint").add(std::nullopt).add(std::nullopt);
  }
  return made;
}

wall_time at(std::int64_t ms) {
  return wall_time{milliseconds{ms}};
}

row keyed(const row& rest) {
  row made;
  made.add(std::string(32, 'k'));
  for (const column_view& each : rest.view())
    made.add(each ? std::optional(std::string(*each)) : std::nullopt);
  return made;
}

TEST(rows, of_many_claims_give_what_a_grant_is_and_no_more) {
  row granted;
  granted.add("\1").number(std::int64_t{1'000}).add(std::nullopt).number(std::int32_t{1}).number(std::int64_t{77});
  granted.number(std::int16_t{0}).add(std::nullopt).number(std::int64_t{2'000});
  for (int i = 0; i < 6; ++i)
    granted.add(std::nullopt);
  const auto read = read_claimed(keyed(granted).view());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->key.bytes[31], std::byte{'k'});
  EXPECT_TRUE(read->found.changed);
  EXPECT_EQ(read->found.now, at(1'000));
  EXPECT_EQ(read->found.kept.token, fence{77});
  EXPECT_EQ(std::get<core::state_in_flight>(read->found.kept.state).lease_end, at(2'000));
  EXPECT_EQ(read_claimed(granted.view()).error(), errc::corrupt);
}

TEST(rows, of_many_claims_give_the_record_that_was_found) {
  row found = row_in_state(2);
  found[0] = std::string(1, '\0');
  const auto read = read_claimed(keyed(found).view());
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->found.changed);
  EXPECT_EQ(*std::get<core::state_completed>(read->found.kept.state).response, "body");
  found[1] = std::nullopt;
  EXPECT_EQ(read_claimed(keyed(found).view()).error(), errc::corrupt);
}

TEST(rows, of_many_completions_are_keys) {
  row whole, torn;
  whole.add(std::string(32, 'k'));
  torn.add(std::string(31, 'k'));
  ASSERT_TRUE(read_completed(whole.view()));
  EXPECT_TRUE(read_completed(whole.view())->found.changed);
  EXPECT_EQ(read_completed(torn.view()).error(), errc::corrupt);
}

TEST(rows, give_a_record_in_flight) {
  const auto found = read_record(row_in_state(0).view());
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->changed);
  EXPECT_EQ(found->now, at(1'000));
  EXPECT_EQ(found->kept.attempt.bytes[15], std::byte{'a'});
  EXPECT_EQ(found->kept.attempt_number, 3u);
  EXPECT_EQ(found->kept.token, fence{77});
  EXPECT_EQ(found->kept.first_seen, at(100));
  EXPECT_EQ(found->kept.retention, milliseconds{4'800});
  EXPECT_EQ(*found->kept.fingerprint, "fingerprint");
  EXPECT_EQ(std::get<core::state_in_flight>(found->kept.state).lease_end, at(200));
}

TEST(rows, give_a_completed_record_with_its_blobs_and_times) {
  const auto found = read_record(row_in_state(2).view());
  ASSERT_TRUE(found);
  const auto& done = std::get<core::state_completed>(found->kept.state);
  EXPECT_EQ(done.completed_at, at(200));
  EXPECT_EQ(done.response_expires_at, at(4'000));
  EXPECT_EQ(done.tombstone_expires_at, at(5'000));
  EXPECT_EQ(*done.tombstone, "tombstone");
  EXPECT_EQ(*done.response, "body");
}

TEST(rows, give_the_states_that_have_no_blobs) {
  EXPECT_EQ(std::get<core::state_unknown>(read_record(row_in_state(1).view())->kept.state).since, at(200));
  EXPECT_EQ(std::get<core::state_released>(read_record(row_in_state(3).view())->kept.state).released_at, at(200));
}

TEST(rows, are_corrupt_where_a_column_is_not_what_it_must_be) {
  EXPECT_EQ(read_record({}).error(), errc::corrupt);
  EXPECT_EQ(read_record(row_in_state(4).view()).error(), errc::corrupt);
  row short_number = row_in_state(0);
  short_number[state_place] = "\1";
  EXPECT_EQ(read_record(short_number.view()).error(), errc::corrupt);
  row without_fingerprint = row_in_state(0);
  without_fingerprint[fingerprint_place] = std::nullopt;
  EXPECT_EQ(read_record(without_fingerprint.view()).error(), errc::corrupt);
  row without_tombstone = row_in_state(2);
  without_tombstone[tombstone_place] = std::nullopt;
  EXPECT_EQ(read_record(without_tombstone.view()).error(), errc::corrupt);
}

TEST(rows, of_a_list_end_with_the_key) {
  row listed = row_in_state(1);
  listed.add(std::string(32, 'k'));
  const auto item = read_listed(listed.view());
  ASSERT_TRUE(item);
  EXPECT_EQ(item->key.bytes[31], std::byte{'k'});
  EXPECT_EQ(item->summary.ended_at, at(200));
  EXPECT_EQ(read_listed(row_in_state(1).view()).error(), errc::corrupt);
}

}  // namespace
}  // namespace onceward::postgres
