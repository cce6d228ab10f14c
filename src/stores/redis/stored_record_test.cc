#include "stores/redis/stored_record.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "stores/redis/commands.h"
#include "stores/redis/value.h"

namespace onceward::redis {
namespace {

using namespace std::chrono_literals;

std::string number(std::uint64_t value, std::size_t bytes) {
  std::string text;
  for (std::size_t i = bytes; i > 0; --i)
    text.push_back(static_cast<char>(value >> (8 * (i - 1)) & 0xff));
  return text;
}

std::string blob(std::string_view bytes) {
  return number(bytes.size(), 4).append(bytes);
}

// As the scripts pack it.
std::string packed(stored_state state, stored_response place, std::string_view last) {
  return number(1, 1) + number(static_cast<std::uint64_t>(state), 1) + std::string(16, 'a') + number(3, 4) +
         number(77, 8) + number(1'000, 8) + number(2'000, 8) + number(5'000, 8) + number(3'000, 8) + number(4'000, 8) +
         number(static_cast<std::uint64_t>(place), 1) + blob("fingerprint") + blob("tombstone") + blob(last);
}

TEST(stored_record, is_read_in_each_state) {
  const auto running = read_record(packed(stored_state::in_flight, stored_response::none, ""));
  ASSERT_TRUE(running);
  EXPECT_EQ(running->kept.attempt_number, 3u);
  EXPECT_EQ(running->kept.token, fence{77});
  EXPECT_EQ(running->kept.retention, 3s);
  EXPECT_EQ(*running->kept.fingerprint, "fingerprint");
  EXPECT_EQ(std::get<core::state_in_flight>(running->kept.state).lease_end, wall_time{2s});
  EXPECT_TRUE(std::holds_alternative<core::state_unknown>(
      read_record(packed(stored_state::unknown, stored_response::none, ""))->kept.state));
  EXPECT_TRUE(std::holds_alternative<core::state_released>(
      read_record(packed(stored_state::released, stored_response::none, ""))->kept.state));
  const auto done = read_record(packed(stored_state::completed, stored_response::inside, "body"));
  const auto& completed = std::get<core::state_completed>(done->kept.state);
  EXPECT_EQ(*completed.response, "body");
  EXPECT_EQ(*completed.tombstone, "tombstone");
  EXPECT_EQ(completed.response_expires_at, wall_time{4s});
  EXPECT_EQ(completed.tombstone_expires_at, wall_time{5s});
  EXPECT_EQ(done->beside, "");
  EXPECT_EQ(read_record(packed(stored_state::completed, stored_response::beside, "name"))->beside, "name");
}

TEST(stored_record, is_refused_where_it_is_none) {
  const std::string whole = packed(stored_state::completed, stored_response::inside, "body");
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(read_record(std::string_view(whole).substr(0, size))) << size;
  EXPECT_EQ(read_record(whole + "x").error(), errc::corrupt);
  std::string later = whole;
  later[0] = 2;
  EXPECT_EQ(read_record(later).error(), errc::version);
  EXPECT_FALSE(read_record(packed(stored_state{9}, stored_response::none, "")));
  EXPECT_FALSE(read_record(packed(stored_state::completed, stored_response{9}, "")));
  EXPECT_FALSE(read_record(packed(stored_state::completed, stored_response::beside, "")));
}

TEST(stored_record, begins_with_what_is_counted) {
  const std::string whole = packed(stored_state::unknown, stored_response::none, "");
  const auto header = read_header(std::string_view(whole).substr(0, record_header_bytes));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->state, stored_state::unknown);
  EXPECT_EQ(header->ended_at, wall_time{2s});
  EXPECT_EQ(header->expires_at, wall_time{5s});
  EXPECT_FALSE(read_header(""));
}

TEST(names, are_those_of_records_and_their_responses) {
  record_key key{};
  key.bytes[0] = std::byte{0xab};
  EXPECT_EQ(name_of(key), "onceward:{ab" + std::string(62, '0') + "}");
  EXPECT_EQ(key_in(name_of(key)), key);
  EXPECT_EQ(key_in("onceward:fence"), std::nullopt);
  EXPECT_EQ(key_in(response_name(key, {}, "body")), std::nullopt);
  EXPECT_NE(response_name(key, {}, "body"), response_name(key, {}, "other"));
}

TEST(commands, put_long_responses_and_those_that_end_first_beside_the_record) {
  const auto completion = [](std::size_t size, std::chrono::milliseconds kept, std::chrono::milliseconds tombstone) {
    return complete{{},
                    {},
                    outcome_completed{std::make_shared<const std::string>(size, 'x'),
                                      std::make_shared<const std::string>("t"), kept, tombstone}};
  };
  EXPECT_FALSE(has_response_beside(completion(response_inside_bytes_max, 1h, 1h)));
  EXPECT_TRUE(has_response_beside(completion(response_inside_bytes_max + 1, 1h, 1h)));
  EXPECT_TRUE(has_response_beside(completion(1, 1h, 2h)));
  EXPECT_FALSE(has_response_beside(complete{{}, {}, outcome_unknown{1h}}));
  EXPECT_FALSE(has_response_beside(release{}));
  requests record, response;
  add_command(record, completion(9'000, 1h, 1h), {}, 0, nullptr);
  add_response(response, completion(9'000, 1h, 1h), nullptr);
  const std::string name = response_name({}, {}, std::string(9'000, 'x'));
  EXPECT_TRUE(record.bytes().ends_with("\r\n" + name + "\r\n"));
  EXPECT_NE(response.bytes().find("\r\n" + name + "\r\n"), std::string::npos);
}

TEST(commands, go_by_the_name_of_their_script_or_with_its_text) {
  script_names names;
  names[script::find] = "digest";
  requests by_name, with_text;
  add_script(by_name, {script::find, {"key"}}, &names);
  EXPECT_EQ(by_name.bytes(), "*4\r\n$7\r\nEVALSHA\r\n$6\r\ndigest\r\n$1\r\n1\r\n$3\r\nkey\r\n");
  add_script(with_text, {script::find, {"key"}}, nullptr);
  EXPECT_NE(with_text.bytes().find("redis.call('TIME')"), std::string::npos);
}

TEST(commands, have_as_many_words_as_they_say) {
  const auto blob = std::make_shared<const std::string>("blob");
  const std::vector<command> all{claim{{}, {}, 1ms, 1ms, blob},
                                 claim{{}, {}, 1ms, 1ms, blob, attempt_id{}},
                                 renew{{}, {}, 1ms},
                                 complete{{}, {}, outcome_completed{blob, blob, 1ms, 1ms}},
                                 complete{{}, {}, outcome_completed{nullptr, blob, 1ms, 1ms}},
                                 complete{{}, {}, outcome_unknown{1ms}},
                                 release{{}, {}},
                                 find{{}}};
  for (const command& each : all) {
    requests made;
    add_command(made, each, {}, 7, nullptr);
    value_reader reader;
    ASSERT_TRUE(reader.feed(made.bytes()));
    const auto read = reader.next();
    ASSERT_TRUE(read && *read) << each.index();
    EXPECT_GE((*read)->items.size(), 4u);
    EXPECT_FALSE(*reader.next()) << each.index();
  }
}

TEST(script_reply, of_a_grant_is_what_the_grant_is) {
  const auto numbers = [](std::vector<std::int64_t> all) {
    value told{.what = value::kind::list, .text = {}, .items = {}};
    for (const std::int64_t each : all)
      told.items.push_back({.what = value::kind::number, .text = {}, .number = each, .items = {}});
    return told;
  };
  const auto granted = read_script_reply(numbers({1, 1'000, 2, 77, 31'000}));
  ASSERT_TRUE(granted && granted->record);
  EXPECT_EQ(granted->record->kept.attempt_number, 2u);
  EXPECT_EQ(granted->record->kept.token, fence{77});
  EXPECT_EQ(std::get<core::state_in_flight>(granted->record->kept.state).lease_end, wall_time{31s});
  EXPECT_EQ(read_script_reply(numbers({1, 1'000, 0, 77, 31'000})).error(), errc::corrupt);
  EXPECT_EQ(read_script_reply(numbers({1, 1'000, 1, 0, 31'000})).error(), errc::corrupt);
  EXPECT_EQ(read_script_reply(numbers({1, 1'000, 1, 77, -1})).error(), errc::corrupt);
  EXPECT_FALSE(read_script_reply(numbers({1, 1'000}))->record);
}

TEST(script_reply, to_many_claims_leaves_out_what_it_does_not_tell) {
  const auto number = [](std::int64_t told) {
    return value{.what = value::kind::number, .text = {}, .number = told, .items = {}};
  };
  const value no_record{.what = value::kind::text, .text = "none", .items = {}};
  value told{.what = value::kind::list, .text = {}, .items = {}};
  told.items = {number(1'000), number(77), number(31'000), number(1), number(0), no_record, number(1)};
  const auto read = read_replies_to_claims(told, 4);
  ASSERT_EQ(read.size(), 4u);
  ASSERT_TRUE(read[0] && read[0]->changed && read[0]->record);
  EXPECT_EQ(read[0]->now, wall_time{1s});
  EXPECT_EQ(read[0]->record->kept.attempt_number, 1u);
  EXPECT_EQ(read[0]->record->kept.token, fence{77});
  EXPECT_EQ(std::get<core::state_in_flight>(read[0]->record->kept.state).lease_end, wall_time{31s});
  EXPECT_FALSE(read[1]);
  EXPECT_FALSE(read[2]);
  ASSERT_TRUE(read[3] && read[3]->record);
  EXPECT_EQ(read[3]->record->kept.token, fence{80});
  for (const auto& each : read_replies_to_claims(told, 3))
    EXPECT_FALSE(each);
  told.items[1] = number(0);
  for (const auto& each : read_replies_to_claims(told, 4))
    EXPECT_FALSE(each);
}

TEST(commands, share_a_script_where_their_lease_and_retention_are_the_same) {
  claim one{};
  one.lease = 30s;
  one.retention = 1h;
  claim other = one;
  other.key.bytes[0] = std::byte{1};
  EXPECT_TRUE(may_share_script(one, other));
  other.lease = 31s;
  EXPECT_FALSE(may_share_script(one, other));
  other = one;
  other.retention = 2h;
  EXPECT_FALSE(may_share_script(one, other));
  complete end{};
  EXPECT_FALSE(may_share_script(one, end));
  const auto ending = [](std::chrono::milliseconds retention, bool with_response) {
    complete made{};
    outcome_completed outcome{};
    outcome.retention = outcome.retention_tombstone = retention;
    if (with_response) outcome.response = std::make_shared<const std::string>("response");
    made.outcome = outcome;
    return made;
  };
  EXPECT_TRUE(may_share_script(ending(1h, true), ending(1h, true)));
  EXPECT_FALSE(may_share_script(ending(1h, true), ending(2h, true)));
  EXPECT_FALSE(may_share_script(ending(1h, true), ending(1h, false)));
}

TEST(word_of_ends, is_heard_by_others_only) {
  std::array<record_key, 2> keys{};
  keys[0].bytes[31] = std::byte{7};
  keys[1].bytes[0] = std::byte{9};
  const std::string word = word_of_ends("sender-a", keys);
  EXPECT_EQ(keys_told(word, "sender-b"), std::vector(keys.begin(), keys.end()));
  EXPECT_TRUE(keys_told(word, "sender-a").empty());
  EXPECT_TRUE(keys_told("nonsense", "sender-b").empty());
  EXPECT_TRUE(keys_told(word.substr(0, word.size() - 1), "sender-b").empty());
  EXPECT_TRUE(keys_told("", "sender-b").empty());
}

}  // namespace
}  // namespace onceward::redis
