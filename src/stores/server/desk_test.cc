#include "stores/server/desk.h"

#include <poll.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace onceward::server {
namespace {

using testing::ElementsAre;

record_key key_of(unsigned char number) {
  record_key key{};
  key.bytes[0] = std::byte{number};
  return key;
}

// Weighs as much as its key's first byte says.
command weighing(unsigned char weight) {
  return find{key_of(weight)};
}

std::size_t weigh(const command& what) {
  return std::to_integer<std::size_t>(std::get<find>(what).key.bytes[0]);
}

// Each delivery as the tags in it.
class deliveries final : public reply_sink {
 public:
  void deliver(std::span<tagged_reply> replies) override {
    std::vector<std::uint64_t> tags;
    for (const tagged_reply& each : replies) {
      tags.push_back(each.tag);
      last = each.value;
    }
    all.push_back(std::move(tags));
  }

  std::vector<std::vector<std::uint64_t>> all;
  reply last;
};

bool rings(const desk& of) {
  pollfd polled{of.bell(), POLLIN, 0};
  return ::poll(&polled, 1, 0) == 1;
}

void answer_all(desk& of, std::span<desk::letter> letters) {
  for (const desk::letter& each : letters) {
    const auto& asked = std::get<core::pending_command>(each);
    of.answer(asked, record_absent{});
  }
  of.deliver();
}

class desk_of_three : public testing::Test {
 public:
  desk_of_three() : made({.commands_max = 3, .command_bytes_max = 100, .weigh = &weigh}) {}

  void expect_refusal(errc reason) {
    const auto* refused = std::get_if<store_failure>(&sink.last);
    ASSERT_NE(refused, nullptr);
    EXPECT_EQ(refused->effect, certainty::definite);
    EXPECT_EQ(refused->reason, reason);
  }

  desk made;
  deliveries sink;
};

TEST_F(desk_of_three, hands_over_what_came_in_its_order_and_rings_once_for_it) {
  EXPECT_FALSE(rings(made));
  std::string trace;
  made.submit(weighing(1), sink, 1);
  made.post([&] { trace += "errand"; });
  made.submit(weighing(2), sink, 2);
  EXPECT_TRUE(rings(made));
  made.silence();
  EXPECT_FALSE(rings(made));
  const auto letters = made.take();
  ASSERT_EQ(letters.size(), 3U);
  EXPECT_EQ(std::get<core::pending_command>(letters[0]).tag, 1U);
  std::get<desk::errand>(letters[1])();
  EXPECT_EQ(trace, "errand");
  EXPECT_EQ(std::get<core::pending_command>(letters[2]).tag, 2U);
  EXPECT_TRUE(made.take().empty());
  // And again for what comes afterwards.
  made.submit(weighing(1), sink, 3);
  EXPECT_TRUE(rings(made));
}

TEST_F(desk_of_three, refuses_from_inside_what_is_beyond_its_limit_until_one_is_answered) {
  for (std::uint64_t tag = 1; tag <= 3; ++tag) {
    EXPECT_TRUE(made.has_room());
    made.submit(weighing(1), sink, tag);
  }
  EXPECT_FALSE(made.has_room());
  made.submit(weighing(1), sink, 4);
  EXPECT_THAT(sink.all, ElementsAre(ElementsAre(4)));
  expect_refusal(errc::unavailable);

  // Taken is not answered yet.
  const auto letters = made.take();
  ASSERT_EQ(letters.size(), 3U);
  EXPECT_FALSE(made.has_room());
  made.answer(std::get<core::pending_command>(letters[0]), record_absent{});
  EXPECT_TRUE(made.has_room());
  made.submit(weighing(1), sink, 5);
  EXPECT_FALSE(made.has_room());
  EXPECT_EQ(sink.all.size(), 1U);
}

TEST_F(desk_of_three, takes_a_command_that_weighs_its_limit_and_refuses_one_byte_more) {
  made.submit(weighing(100), sink, 1);
  EXPECT_TRUE(sink.all.empty());
  made.submit(weighing(101), sink, 2);
  EXPECT_THAT(sink.all, ElementsAre(ElementsAre(2)));
  expect_refusal(errc::too_large);
  // What was refused takes no room.
  answer_all(made, made.take());
  EXPECT_TRUE(made.all_answered());
}

TEST_F(desk_of_three, delivers_to_each_sink_once_what_is_its_own_in_the_order_of_the_answers) {
  deliveries other;
  made.submit(weighing(1), sink, 1);
  made.submit(weighing(1), other, 2);
  made.submit(weighing(1), sink, 3);
  const auto letters = made.take();
  for (const std::size_t place : {2U, 1U, 0U})
    made.answer(std::get<core::pending_command>(letters[place]), record_absent{});
  EXPECT_TRUE(made.all_answered());
  EXPECT_TRUE(sink.all.empty());
  made.deliver();
  EXPECT_THAT(sink.all, ElementsAre(ElementsAre(3, 1)));
  EXPECT_THAT(other.all, ElementsAre(ElementsAre(2)));
  made.deliver();
  EXPECT_EQ(sink.all.size(), 1U);
}

// Asks again from inside its reply, so often.
class insisting final : public reply_sink {
 public:
  insisting(desk& at, int times) : at_(at), left_(times) {}
  void deliver(std::span<tagged_reply> replies) override {
    for (const tagged_reply& each : replies) {
      ++told;
      if (--left_ >= 0) at_.submit(weighing(1), *this, each.tag + 1);
    }
  }
  int told = 0;

 private:
  desk& at_;
  int left_;
};

TEST_F(desk_of_three, takes_commands_from_inside_a_delivery) {
  insisting sinks(made, 10);
  made.submit(weighing(1), sinks, 1);
  while (!made.all_answered())
    answer_all(made, made.take());
  EXPECT_EQ(sinks.told, 11);
}

TEST_F(desk_of_three, is_closed_for_who_takes_what_came_before) {
  made.submit(weighing(1), sink, 1);
  made.silence();
  made.close();
  EXPECT_TRUE(rings(made));
  EXPECT_FALSE(made.is_closed());
  EXPECT_EQ(made.take().size(), 1U);
  EXPECT_TRUE(made.is_closed());
}

class observed final : public record_observer {
 public:
  void attempts_ended(std::span<const record_key> keys) override {
    ended.insert(ended.end(), keys.begin(), keys.end());
  }
  void any_may_have_ended() override { ++any; }

  std::vector<record_key> ended;
  int any = 0;
};

TEST_F(desk_of_three, tells_the_observer_of_now_whose_attempts_ended) {
  observed first, second;
  const std::array keys{key_of(1), key_of(2)};
  made.tell_observer(keys);
  made.observe(&first);
  made.tell_observer(keys);
  made.tell_observer({});
  made.observe(&second);
  made.tell_observer(std::span(keys).first(1));
  made.observe(nullptr);
  made.tell_observer({});
  EXPECT_THAT(first.ended, ElementsAre(key_of(1), key_of(2)));
  EXPECT_EQ(first.any, 1);
  EXPECT_THAT(second.ended, ElementsAre(key_of(1)));
  EXPECT_EQ(second.any, 0);
}

// ---- With threads --------------------------------------------------------------------------------------------------

// The store's thread: answers what comes until it is closed and nothing is left.
void serve(desk& at) {
  for (;;) {
    pollfd polled{at.bell(), POLLIN, 0};
    ::poll(&polled, 1, -1);
    at.silence();
    for (desk::letter& each : at.take()) {
      if (auto* const what = std::get_if<desk::errand>(&each)) {
        (*what)();
        continue;
      }
      const auto& asked = std::get<core::pending_command>(each);
      at.answer(asked, record_absent{});
    }
    at.deliver();
    if (at.is_closed() && at.all_answered()) return;
  }
}

// Of one client: its replies come on the store's thread, its refusals on its own.
class counting final : public reply_sink {
 public:
  void deliver(std::span<tagged_reply> replies) override {
    for (const tagged_reply& each : replies)
      ++(std::holds_alternative<store_failure>(each.value) ? refused : answered);
  }
  std::atomic<int> answered = 0;
  std::atomic<int> refused = 0;
};

TEST(desk, answers_or_refuses_every_command_of_every_thread_once) {
  constexpr int clients_count = 4, commands_each = 2'000;
  desk made({.commands_max = 64, .command_bytes_max = 100, .weigh = &weigh});
  std::thread store([&] { serve(made); });
  std::array<counting, clients_count> sinks;
  std::vector<std::thread> clients;
  int errands = 0;  // The store's thread's, until it is joined.
  for (counting& sink : sinks) {
    clients.emplace_back([&] {
      for (int i = 0; i < commands_each; ++i)
        made.submit(weighing(1), sink, static_cast<std::uint64_t>(i));
      made.post_and_wait([&](const desk::errand& done) {
        ++errands;
        done();
      });
    });
  }
  for (std::thread& each : clients)
    each.join();
  made.close();
  store.join();
  for (const counting& each : sinks)
    EXPECT_EQ(each.answered + each.refused, commands_each);
  EXPECT_EQ(errands, clients_count);
  EXPECT_TRUE(made.all_answered());
}

TEST(desk, waits_for_an_errand_that_is_done_later) {
  desk made({.commands_max = 1, .command_bytes_max = 100, .weigh = &weigh});
  std::thread store([&] { serve(made); });
  bool was_done = false;
  desk::errand kept;  // The store's thread's, until it is joined.
  made.post_and_wait([&](desk::errand done) {
    kept = std::move(done);
    made.post([&] {
      was_done = true;
      kept();
    });
  });
  EXPECT_TRUE(was_done);
  made.close();
  store.join();
}

TEST(desk, returns_from_observe_when_no_call_to_the_one_before_is_under_way) {
  desk made({.commands_max = 1, .command_bytes_max = 100, .weigh = &weigh});
  std::atomic<bool> stop = false;
  std::thread store([&] {
    while (!stop)
      made.tell_observer({});
  });
  for (int i = 0; i < 200; ++i) {
    // Gone right after observe() has returned: a call that is under way still would be one to what is gone.
    auto watcher = std::make_unique<observed>();
    made.observe(watcher.get());
    made.observe(nullptr);
  }
  stop = true;
  store.join();
}

}  // namespace
}  // namespace onceward::server
