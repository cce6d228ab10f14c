#include "stores/postgres/batch.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

namespace onceward::postgres {
namespace {

using namespace std::chrono_literals;

record_key key(unsigned char number) {
  record_key made;
  made.bytes[0] = std::byte{number};
  return made;
}

pending_command claim_of(unsigned char number) {
  return {claim{key(number), {}, 1ms, 1ms, std::make_shared<const std::string>("f")}, nullptr, 0, {}};
}

pending_command completion_of(unsigned char number, std::size_t response_bytes = 1) {
  const auto blob = std::make_shared<const std::string>(response_bytes, 'r');
  return {complete{key(number), {}, outcome_completed{blob, blob, 1ms, 1ms}}, nullptr, 0, {}};
}

pending_command release_of(unsigned char number) {
  return {release{key(number), {}}, nullptr, 0, {}};
}

std::string shape(const batch& made) {
  std::string text;
  for (const batch_part& part : made) {
    parameters with;
    text.append(text.empty() ? "" : ", ").append(name_of(encode(part, with)));
    for (const pending_command& each : part.commands)
      text += " " + std::to_string(std::to_integer<int>(key_of(each.what)->bytes[0]));
  }
  return text;
}

std::string next(std::deque<pending_command>& queue) {
  return shape(take_batch(queue));
}

TEST(batch, gathers_claims_and_completions_in_the_order_of_their_keys_and_the_claims_last) {
  std::deque<pending_command> queue{claim_of(3), completion_of(5), claim_of(1), completion_of(4), claim_of(2)};
  EXPECT_EQ(next(queue), "complete_many 4 5, claim_many 1 2 3");
  EXPECT_TRUE(queue.empty());
}

TEST(batch, sends_what_is_alone_of_its_kind_by_its_own_statement) {
  std::deque<pending_command> queue{release_of(2), claim_of(3), completion_of(1)};
  EXPECT_EQ(next(queue), "complete 1, claim 3, release 2");
}

TEST(batch, decides_a_second_command_of_a_key_after_the_first) {
  std::deque<pending_command> queue{claim_of(1), claim_of(2), completion_of(1), claim_of(1), claim_of(2)};
  EXPECT_EQ(next(queue), "claim_many 1 2, complete 1, claim 1, claim 2");
}

TEST(batch, sends_by_itself_what_was_sent_before_and_what_takes_over) {
  std::deque<pending_command> queue{claim_of(1), claim_of(2), claim_of(3), claim_of(4)};
  queue[1].sent = 1;
  std::get<claim>(queue[2].what).over_unknown = attempt_id{};
  EXPECT_EQ(next(queue), "claim_many 1 4, claim 2, claim 3");
}

TEST(batch, leaves_what_is_to_go_alone_alone) {
  std::deque<pending_command> queue{claim_of(1), claim_of(2), claim_of(3)};
  queue[1].alone = true;
  EXPECT_EQ(next(queue), "claim 1");
  EXPECT_EQ(next(queue), "claim 2");
  EXPECT_EQ(next(queue), "claim 3");
}

TEST(batch, is_long_only_without_statements_for_one_command) {
  std::deque<pending_command> queue{completion_of(1, 20'000), completion_of(2, 20'000), release_of(3)};
  EXPECT_EQ(next(queue), "complete 1");
  EXPECT_EQ(next(queue), "complete 2");
  EXPECT_EQ(next(queue), "release 3");
  for (unsigned char number = 0; number < 40; ++number)
    queue.push_back(completion_of(number, 400));
  queue.push_back(release_of(50));
  EXPECT_EQ(take_batch(queue).front().commands.size(), 40u);
  EXPECT_EQ(next(queue), "release 50");
}

TEST(batch, takes_one_command_however_long_it_is) {
  std::deque<pending_command> queue{completion_of(1, 1'000'000), claim_of(2)};
  EXPECT_EQ(next(queue), "complete 1");
  EXPECT_EQ(next(queue), "claim 2");
}

}  // namespace
}  // namespace onceward::postgres
