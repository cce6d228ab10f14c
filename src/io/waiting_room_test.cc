#include "io/waiting_room.h"
#include "net/wake_up.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace onceward::io {
namespace {

struct recorder final : mail_receiver {
  void store_replied(reply&&, bool) override {}
  void attempt_ended(const core::ended_attempt& end) override { ends.push_back(end.how); }
  std::vector<core::attempt_end> ends;
};

record_key key(int number) {
  record_key made;
  made.bytes[0] = static_cast<std::byte>(number);
  return made;
}

core::ended_attempt end_of(core::attempt_end how) {
  return {how, fence{1}, std::make_shared<const std::string>("print"), nullptr, nullptr};
}

struct waiting_room_test : testing::Test {
  // Runs the loop until the mail that came before has been handed out.
  void settle() {
    settled.notify();
    loop.run();
  }
  net::loop loop;
  mailbox replies{loop};
  net::wake_up settled{loop, [this] { loop.stop(); }};
  waiting_room room{{.total_max = 4, .per_key_max = 3, .per_scope_max = 2}};
};

TEST_F(waiting_room_test, wakes_all_who_wait_for_a_key_and_nobody_else) {
  recorder first;
  recorder second;
  recorder other;
  ASSERT_TRUE(room.join(key(1), waiter_scope{1}, replies, replies.add(first)));
  ASSERT_TRUE(room.join(key(1), waiter_scope{2}, replies, replies.add(second)));
  ASSERT_TRUE(room.join(key(2), waiter_scope{1}, replies, replies.add(other)));
  room.wake(key(1), end_of(core::attempt_end::completed));
  settle();
  EXPECT_EQ(first.ends, std::vector{core::attempt_end::completed});
  EXPECT_EQ(second.ends, std::vector{core::attempt_end::completed});
  EXPECT_TRUE(other.ends.empty());
  EXPECT_EQ(room.size(), 1u);
}

TEST_F(waiting_room_test, a_waiter_is_woken_once) {
  recorder waiter;
  ASSERT_TRUE(room.join(key(1), waiter_scope{1}, replies, replies.add(waiter)));
  room.wake(key(1), end_of(core::attempt_end::released));
  room.wake(key(1), end_of(core::attempt_end::completed));
  settle();
  EXPECT_EQ(waiter.ends, std::vector{core::attempt_end::released});
}

TEST_F(waiting_room_test, wakes_all_who_wait_for_whatever_key) {
  recorder first;
  recorder second;
  ASSERT_TRUE(room.join(key(1), waiter_scope{1}, replies, replies.add(first)));
  ASSERT_TRUE(room.join(key(2), waiter_scope{1}, replies, replies.add(second)));
  room.wake_all(end_of(core::attempt_end::elsewhere));
  room.wake_all(end_of(core::attempt_end::elsewhere));
  settle();
  EXPECT_EQ(first.ends, std::vector{core::attempt_end::elsewhere});
  EXPECT_EQ(second.ends, std::vector{core::attempt_end::elsewhere});
  EXPECT_EQ(room.size(), 0u);
  EXPECT_TRUE(room.join(key(1), waiter_scope{1}, replies, replies.add(first)));
}

TEST_F(waiting_room_test, who_left_is_not_woken_and_leaves_once) {
  recorder waiter;
  const mail_tag tag = replies.add(waiter);
  ASSERT_TRUE(room.join(key(1), waiter_scope{1}, replies, tag));
  room.leave(key(1), replies, tag);
  room.leave(key(1), replies, tag);
  room.wake(key(1), end_of(core::attempt_end::completed));
  settle();
  EXPECT_TRUE(waiter.ends.empty());
  EXPECT_EQ(room.size(), 0u);
}

TEST_F(waiting_room_test, holds_each_of_its_limits) {
  recorder waiter;
  const auto join = [&](int number, std::uint64_t scope) {
    return room.join(key(number), waiter_scope{scope}, replies, replies.add(waiter));
  };
  EXPECT_TRUE(join(1, 1));
  EXPECT_TRUE(join(1, 1));
  EXPECT_FALSE(join(2, 1)) << "a third of one scope";
  EXPECT_TRUE(join(1, 2));
  EXPECT_FALSE(join(1, 3)) << "a fourth of one key";
  EXPECT_TRUE(join(2, 3));
  EXPECT_FALSE(join(3, 4)) << "a fifth in all";
  EXPECT_EQ(room.size(), 4u);
  room.wake(key(1), end_of(core::attempt_end::unknown));
  EXPECT_TRUE(join(3, 1)) << "who was woken makes room in its scope";
  EXPECT_TRUE(join(3, 4));
}

TEST_F(waiting_room_test, a_limit_of_none_lets_nobody_in) {
  waiting_room closed{{.total_max = 4, .per_key_max = 0, .per_scope_max = 4}};
  recorder waiter;
  EXPECT_FALSE(closed.join(key(1), waiter_scope{1}, replies, replies.add(waiter)));
  EXPECT_EQ(closed.size(), 0u);
}

using place = waiting_room::probe_place;

TEST_F(waiting_room_test, of_those_who_would_probe_the_first_may_and_the_others_wait_for_it) {
  recorder first;
  recorder second;
  recorder other;
  const mail_tag prober = replies.add(first);
  EXPECT_EQ(room.join_probe(key(1), waiter_scope{1}, replies, prober), place::first);
  EXPECT_EQ(room.join_probe(key(1), waiter_scope{1}, replies, replies.add(second)), place::waiting);
  EXPECT_EQ(room.join_probe(key(2), waiter_scope{1}, replies, replies.add(other)), place::first);
  EXPECT_EQ(room.size(), 1u);
  room.end_probe(key(1), replies, prober, end_of(core::attempt_end::unknown));
  settle();
  EXPECT_TRUE(first.ends.empty());
  EXPECT_EQ(second.ends, std::vector{core::attempt_end::unknown});
  EXPECT_EQ(room.size(), 0u);
}

TEST_F(waiting_room_test, the_end_of_a_probe_is_not_told_to_those_who_wait_for_an_attempt) {
  recorder one;
  recorder second;
  recorder waiter;
  const mail_tag prober = replies.add(one);
  ASSERT_TRUE(room.join(key(1), waiter_scope{2}, replies, replies.add(waiter)));
  ASSERT_EQ(room.join_probe(key(1), waiter_scope{1}, replies, prober), place::first);
  ASSERT_EQ(room.join_probe(key(1), waiter_scope{1}, replies, replies.add(second)), place::waiting);
  room.end_probe(key(1), replies, prober, end_of(core::attempt_end::look_again));
  settle();
  EXPECT_TRUE(waiter.ends.empty());
  EXPECT_EQ(second.ends, std::vector{core::attempt_end::look_again});
  EXPECT_EQ(room.size(), 1u);
}

TEST_F(waiting_room_test, after_a_probe_was_left_the_next_who_joins_is_first) {
  recorder one;
  const mail_tag prober = replies.add(one);
  ASSERT_EQ(room.join_probe(key(1), waiter_scope{1}, replies, prober), place::first);
  const mail_tag waiter = replies.add(one);
  ASSERT_EQ(room.join_probe(key(1), waiter_scope{1}, replies, waiter), place::waiting);
  room.leave_probe(key(1), replies, waiter);
  room.end_probe(key(1), replies, waiter, end_of(core::attempt_end::unknown));
  EXPECT_EQ(room.join_probe(key(1), waiter_scope{2}, replies, replies.add(one)), place::waiting)
      << "only its prober leaves a probe";
  room.leave_probe(key(1), replies, prober);
  EXPECT_EQ(room.join_probe(key(1), waiter_scope{1}, replies, replies.add(one)), place::first);
}

TEST_F(waiting_room_test, an_attempt_that_ends_wakes_those_behind_a_probe_and_ends_no_probe) {
  recorder one;
  recorder second;
  ASSERT_EQ(room.join_probe(key(1), waiter_scope{1}, replies, replies.add(one)), place::first);
  ASSERT_EQ(room.join_probe(key(1), waiter_scope{1}, replies, replies.add(second)), place::waiting);
  room.wake(key(1), end_of(core::attempt_end::completed));
  settle();
  EXPECT_EQ(second.ends, std::vector{core::attempt_end::completed});
  EXPECT_EQ(room.join_probe(key(1), waiter_scope{1}, replies, replies.add(one)), place::waiting);
}

TEST_F(waiting_room_test, beyond_its_limits_nobody_waits_for_a_probe_and_one_may_still_ask) {
  recorder one;
  const auto join = [&](int number) {
    return room.join_probe(key(number), waiter_scope{1}, replies, replies.add(one));
  };
  EXPECT_EQ(join(1), place::first);
  EXPECT_EQ(join(1), place::waiting);
  EXPECT_EQ(join(1), place::waiting);
  EXPECT_EQ(join(1), place::refused);
  EXPECT_EQ(join(2), place::first);
}

TEST_F(waiting_room_test, mail_for_somebody_who_is_gone_reaches_nobody_else) {
  recorder gone;
  const mail_tag tag = replies.add(gone);
  ASSERT_TRUE(room.join(key(1), waiter_scope{1}, replies, tag));
  room.wake(key(1), end_of(core::attempt_end::completed));
  replies.remove(tag);
  recorder next;
  const mail_tag reused = replies.add(next);
  EXPECT_NE(reused, tag);
  settle();
  EXPECT_TRUE(gone.ends.empty());
  EXPECT_TRUE(next.ends.empty());
}

}  // namespace
}  // namespace onceward::io
