#include "net/loop.h"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "net/deadline.h"
#include "net/wake_up.h"

namespace onceward::net {
namespace {

TEST(loop, runs_posted_work_in_order_and_never_inside_post) {
  loop one;
  std::vector<int> order;
  one.post([&] {
    one.post([&] {
      order.push_back(2);
      one.stop();
    });
    order.push_back(1);
  });
  EXPECT_TRUE(order.empty());
  one.run();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(loop, runs_again_after_it_was_stopped) {
  loop one;
  int turns = 0;
  for (int i = 0; i < 3; ++i) {
    one.post([&] {
      ++turns;
      one.stop();
    });
    one.run();
  }
  EXPECT_EQ(turns, 3);
}

std::string text_of(turn_end how) {
  return how == turn_end::nothing_left ? "nothing left" : "cut short";
}

TEST(loop, ends_a_turn_when_nothing_is_left) {
  loop one;
  std::vector<std::string> order;
  one.at_end_of_turn([&](turn_end how) {
    order.push_back(text_of(how));
    one.stop();
  });
  one.post([&] {
    order.push_back("first");
    one.post([&] { order.push_back("third"); });
  });
  one.post([&] { order.push_back("second"); });
  one.run();
  EXPECT_EQ(order, (std::vector<std::string>{"first", "second", "third", "nothing left"}));
}

TEST(loop, cuts_a_turn_short_that_would_not_end) {
  loop one;
  int handlers = 0;
  std::function<void()> again = [&] {
    ++handlers;
    one.post(again);
  };
  one.at_end_of_turn([&](turn_end how) {
    EXPECT_EQ(how, turn_end::cut_short);
    one.stop();
  });
  one.post(again);
  one.run();
  EXPECT_GT(handlers, 1);
}

TEST(loop, ends_the_turn_in_which_it_is_stopped) {
  loop one;
  std::vector<std::string> order;
  one.at_end_of_turn([&](turn_end how) { order.push_back(text_of(how)); });
  one.post([&] {
    order.push_back("first");
    one.stop();
  });
  one.post([&] { order.push_back("second"); });
  one.run();
  EXPECT_EQ(order, (std::vector<std::string>{"first", "cut short"}));
}

TEST(loop, ends_the_turn_in_which_a_deadline_was_due) {
  loop one;
  bool ended_since = false;
  deadline due(one, [&] {
    ended_since = false;
    one.stop();
  });
  one.at_end_of_turn([&](turn_end) { ended_since = true; });
  due.arm(one.now());
  one.run();
  EXPECT_TRUE(ended_since);
}

TEST(loop, takes_work_from_many_threads) {
  loop one;
  constexpr int threads = 4;
  constexpr int each = 500;
  int done = 0;
  std::vector<std::thread> posters;
  for (int i = 0; i < threads; ++i) {
    posters.emplace_back([&] {
      for (int j = 0; j < each; ++j) {
        one.post([&] {
          if (++done == threads * each) one.stop();
        });
      }
    });
  }
  one.run();
  for (std::thread& poster : posters)
    poster.join();
  EXPECT_EQ(done, threads * each);
}

TEST(loop, shows_one_handler_one_time_and_the_next_a_later_one) {
  loop one;
  base::moment first{};
  one.post([&] {
    first = one.now();
    std::thread([] {}).join();
    EXPECT_EQ(one.now(), first);
    one.post([&] {
      EXPECT_GE(one.now(), first);
      one.stop();
    });
  });
  one.run();
  EXPECT_NE(first, base::moment{});
}

TEST(wake_up, answers_many_calls_with_one) {
  loop one;
  int woken = 0;
  wake_up bell(one, [&] { ++woken; });
  one.post([&] {
    for (int i = 0; i < 100; ++i)
      bell.notify();
    one.post([&] { one.stop(); });
  });
  one.run();
  EXPECT_EQ(woken, 1);
}

TEST(wake_up, misses_nothing_that_was_written_before_a_call) {
  loop one;
  constexpr int threads = 4;
  constexpr int each = 2000;
  std::atomic<int> written{0};
  wake_up bell(one, [&] {
    if (written.load(std::memory_order_relaxed) == threads * each) one.stop();
  });
  std::vector<std::thread> writers;
  for (int i = 0; i < threads; ++i) {
    writers.emplace_back([&] {
      for (int j = 0; j < each; ++j) {
        written.fetch_add(1, std::memory_order_relaxed);
        bell.notify();
      }
    });
  }
  one.run();
  for (std::thread& writer : writers)
    writer.join();
  EXPECT_EQ(written, threads * each);
}

TEST(wake_up, that_has_gone_is_not_called_any_more) {
  loop one;
  {
    wake_up bell(one, [] { ADD_FAILURE(); });
    bell.notify();
  }
  one.post([&] { one.stop(); });
  one.run();
}

}  // namespace
}  // namespace onceward::net
