// Loops on several threads that join, leave and wake the same keys. What counts is that the sanitizers stay silent and
// that every waiter hears exactly once or has left.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "io/waiting_room.h"
#include "net/wake_up.h"

namespace onceward::io {
namespace {

constexpr int rounds = 2'000;

struct waiter final : mail_receiver {
  explicit waiter(std::atomic<int>& counter) : heard(counter) {}
  void store_replied(reply&&, bool) override {}
  void attempt_ended(const core::ended_attempt&) override { ++heard; }
  std::atomic<int>& heard;
};

TEST(waiting_room_threads, every_waiter_hears_once_whatever_thread_wakes_it) {
  waiting_room room{{1'000'000, 1'000'000, 1'000'000}};
  std::atomic<int> heard = 0;
  constexpr int loops = 3;
  std::vector<std::unique_ptr<net::loop>> owned;
  std::vector<std::unique_ptr<mailbox>> boxes;
  std::vector<std::vector<std::unique_ptr<waiter>>> waiters(loops);
  for (int i = 0; i < loops; ++i) {
    owned.push_back(std::make_unique<net::loop>());
    boxes.push_back(std::make_unique<mailbox>(*owned.back()));
  }
  const auto key = [](int number) {
    record_key made;
    made.bytes[0] = static_cast<std::byte>(number % 7);
    return made;
  };
  const auto wake = [&](int number) {
    room.wake(key(number),
              {core::attempt_end::completed, fence{1}, std::make_shared<const std::string>("print"), nullptr, nullptr});
  };
  std::atomic<bool> joined = false;
  std::thread waker([&] {
    for (int i = 0; !joined; ++i)
      wake(i);
    for (int i = 0; i < 7; ++i)
      wake(i);
  });
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < loops; ++i) {
    threads.emplace_back([&, i] {
      owned[i]->post([&, i] {
        for (int round = 0; round < rounds; ++round) {
          waiters[i].push_back(std::make_unique<waiter>(heard));
          EXPECT_TRUE(room.join(key(round), waiter_scope{i}, *boxes[i], boxes[i]->add(*waiters[i].back())));
        }
        owned[i]->stop();
      });
      owned[i]->run();
    });
  }
  for (auto& each : threads)
    each.join();
  joined = true;
  waker.join();
  for (auto& each : owned) {
    each->post([&] { each->stop(); });
    each->run();
  }
  EXPECT_EQ(heard, loops * rounds);
  EXPECT_EQ(room.size(), 0u);
}

// Probers that leave and wake while others join behind them: nobody stays behind, and there is never a second first.
TEST(waiting_room_threads, nobody_is_left_waiting_for_a_probe_that_is_over) {
  waiting_room room{{1'000'000, 1'000'000, 1'000'000}};
  std::atomic<int> heard = 0;
  std::atomic<int> waited = 0;
  std::atomic<int> probers = 0;
  const shared_bytes print = std::make_shared<const std::string>("print");
  const auto take_part = [&] {
    net::loop loop;
    mailbox box{loop};
    std::vector<std::unique_ptr<waiter>> joined;
    loop.post([&] {
      for (int round = 0; round < rounds; ++round) {
        joined.push_back(std::make_unique<waiter>(heard));
        const mail_tag tag = box.add(*joined.back());
        if (room.join_probe(record_key{}, waiter_scope{1}, box, tag) == waiting_room::probe_place::waiting) {
          ++waited;
          continue;
        }
        EXPECT_EQ(++probers, 1);
        --probers;
        room.end_probe(record_key{}, box, tag, {core::attempt_end::unknown, fence{1}, print, nullptr, nullptr});
      }
      loop.stop();
    });
    loop.run();
    // Mail that is on its way is handed out before the mailbox goes.
    while (room.size() > 0)
      std::this_thread::yield();
    net::wake_up settled(loop, [&] { loop.stop(); });
    settled.notify();
    loop.run();
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back(take_part);
  for (auto& each : threads)
    each.join();
  EXPECT_EQ(heard, waited);
}

}  // namespace
}  // namespace onceward::io
