#include "stores/journal/entry.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/checksum.h"
#include "base/hex.h"

namespace onceward::journal {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t generation = 9;

wall_time at(std::int64_t ms) {
  return wall_time{milliseconds{ms}};
}
shared_bytes bytes(std::string_view text) {
  return std::make_shared<const std::string>(text);
}

record_key some_key() {
  record_key key;
  for (std::size_t i = 0; i < key.bytes.size(); ++i)
    key.bytes[i] = static_cast<std::byte>(i);
  return key;
}

core::record record_in(core::record_state state) {
  core::record kept{.attempt = {},
                    .attempt_number = 2,
                    .token = fence{7},
                    .first_seen = at(1'000),
                    .retention = milliseconds{86'400'000},
                    .fingerprint = bytes("fp"),
                    .state = std::move(state)};
  kept.attempt.bytes.fill(std::byte{0xaa});
  return kept;
}

std::vector<core::record> all_kinds() {
  return {record_in(core::state_in_flight{at(31'000)}),
          record_in(core::state_completed{at(2'000), at(3'000), at(4'000), bytes("response"), bytes("tomb")}),
          record_in(core::state_completed{at(2'000), at(3'000), at(4'000), nullptr, bytes("tomb")}),
          record_in(core::state_completed{at(2'000), at(3'000), at(4'000), bytes(""), bytes("")}),
          record_in(core::state_released{at(2'000)}),
          record_in(core::state_unknown{at(2'000)})};
}

std::string encoded(const core::record& kept) {
  std::string out;
  encode_entry(some_key(), kept, generation, out);
  return out;
}

// As text, so that two of them compare in every field.
std::string text_of(const core::record& kept) {
  std::string text =
      std::to_string(kept.attempt_number) + " " + std::to_string(static_cast<std::uint64_t>(kept.token)) + " " +
      std::to_string(kept.first_seen.time_since_epoch().count()) + " " + std::to_string(kept.retention.count()) + " " +
      *kept.fingerprint + " " + base::to_hex(kept.attempt.bytes);
  const auto time = [](wall_time point) { return " " + std::to_string(point.time_since_epoch().count()); };
  const auto blob = [](const shared_bytes& each) { return each == nullptr ? " null" : " '" + *each + "'"; };
  if (const auto* running = std::get_if<core::state_in_flight>(&kept.state))
    text += " in flight" + time(running->lease_end);
  if (const auto* gone = std::get_if<core::state_released>(&kept.state)) text += " released" + time(gone->released_at);
  if (const auto* open = std::get_if<core::state_unknown>(&kept.state)) text += " unknown" + time(open->since);
  if (const auto* done = std::get_if<core::state_completed>(&kept.state)) {
    text += " completed" + time(done->completed_at) + time(done->response_expires_at) +
            time(done->tombstone_expires_at) + blob(done->response) + blob(done->tombstone);
  }
  return text;
}

TEST(entry, is_read_as_it_was_written_whatever_the_state) {
  for (const core::record& kept : all_kinds()) {
    const std::string out = encoded(kept);
    EXPECT_EQ(out.size(), entry_bytes_of(kept));
    const auto body = entry_body(out, generation);
    ASSERT_TRUE(body);
    const auto read = decode_entry(*body);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->key, some_key());
    EXPECT_EQ(text_of(read->kept), text_of(kept));
  }
}

TEST(entry, tells_its_head_without_its_blobs) {
  for (const core::record& kept : all_kinds()) {
    const std::string out = encoded(kept);
    const auto head = decode_entry_head(*entry_body(out, generation));
    ASSERT_TRUE(head);
    EXPECT_EQ(head->key, some_key());
    EXPECT_EQ(head->kind, kind_of(kept));
    EXPECT_EQ(head->token, kept.token);
    EXPECT_EQ(head->expires_at, core::expiry(kept));
  }
}

TEST(entry, has_the_bytes_that_its_page_describes) {
  const std::string out = encoded(record_in(core::state_completed{at(2), at(3), at(4), bytes("body"), bytes("tomb")}));
  const std::string_view body = std::string_view(out).substr(entry_header_bytes);
  EXPECT_EQ(base::to_hex(std::as_bytes(std::span(body))),
            "0201"                                                              // Completed, with its response.
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"  // Key.
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"                                  // Attempt.
            "02000000"                                                          // Its number.
            "0700000000000000"                                                  // Fence.
            "e803000000000000"                                                  // First seen.
            "005c260500000000"                                                  // Retention.
            "020000000000000003000000000000000400000000000000"  // Completed; expiry of response, of tombstone.
            "020000006670"                                      // Fingerprint.
            "04000000746f6d62"                                  // Tombstone.
            "04000000626f6479");                                // Response.
  EXPECT_EQ(static_cast<unsigned char>(out[0]), body.size());
}

TEST(entry, is_refused_with_any_byte_changed_cut_or_from_another_segment) {
  std::string out = encoded(all_kinds()[1]);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<char>(out[i] ^ 0x20);
    EXPECT_FALSE(entry_body(out, generation)) << i;
    out[i] = static_cast<char>(out[i] ^ 0x20);
    EXPECT_FALSE(entry_body(std::string_view(out).substr(0, i), generation)) << i;
  }
  EXPECT_TRUE(entry_body(out, generation));
  EXPECT_FALSE(entry_body(out, generation + 1));
}

TEST(entry, is_refused_if_its_body_does_not_keep_to_the_format) {
  for (const core::record& kept : all_kinds()) {
    const std::string out = encoded(kept);
    const std::string body(*entry_body(out, generation));
    for (std::size_t length = 0; length < body.size(); ++length)
      EXPECT_FALSE(decode_entry(body.substr(0, length)));
    EXPECT_FALSE(decode_entry(body + "x"));
    std::string other_kind = body;
    for (const char kind : {'\0', '\5', '\xff'}) {
      other_kind[0] = kind;
      EXPECT_FALSE(decode_entry(other_kind));
      EXPECT_FALSE(decode_entry_head(other_kind));
    }
    std::string other_flag = body;
    other_flag[1] = 2;
    EXPECT_FALSE(decode_entry(other_flag));
  }
}

// Their sum, the time at which the record expires, would be none.
TEST(entry, is_refused_with_times_that_nobody_wrote) {
  core::record kept = record_in(core::state_unknown{wall_time::max()});
  EXPECT_FALSE(decode_entry_head(*entry_body(encoded(kept), generation)));
  kept = record_in(core::state_unknown{at(1)});
  kept.retention = std::chrono::milliseconds::max();
  EXPECT_FALSE(decode_entry_head(*entry_body(encoded(kept), generation)));
  EXPECT_FALSE(decode_entry(*entry_body(encoded(kept), generation)));
}

}  // namespace
}  // namespace onceward::journal
