// Stopping: nothing that was accepted is lost, and it comes to an end.
#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/gateway/running_gateway.h"
#include "tests/gateway/scripted_upstream.h"

namespace onceward::test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

std::string charge(std::string_view key) {
  return post("/charges", "Idempotency-Key: " + std::string(key) + "\r\n", "x");
}

TEST(drain, ends_at_once_where_nothing_runs) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "")));
  auto chosen = settings_for({upstream.port()});
  chosen.workers = 2;
  running_gateway tested(chosen);
  client idle(tested.port());
  EXPECT_EQ(idle.exchange(get("/")).status(), 200);
  EXPECT_TRUE(tested.whole().is_ready());
  gate stopped;
  tested.whole().begin_drain([&] { stopped.open(); });
  EXPECT_FALSE(tested.whole().is_ready());
  stopped.wait();
  EXPECT_TRUE(idle.is_closed());
  EXPECT_THROW(client(tested.port()), std::exception);
}

TEST(drain, finishes_what_runs_and_closes_each_connection_with_its_answer) {
  gate answer;
  scripted_upstream upstream([&](upstream_peer& peer) {
    while (peer.next_request()) {
      answer.wait();
      peer.socket.write(response(200, "", "finished"));
    }
  });
  running_gateway tested(settings_for({upstream.port()}));
  client guarded(tested.port());
  client plain(tested.port());
  client waiting(tested.port());
  guarded.send(charge("k"));
  plain.send(get("/"));
  upstream.wait_for_requests(2);
  waiting.send(charge("k"));
  while (tested.whole().numbers().waiters == 0)
    std::this_thread::yield();
  // Seen from outside, the gateway is not ready while it drains.
  client operator_(tested.admin_port());
  gate stopped;
  tested.whole().begin_drain([&] { stopped.open(); });
  EXPECT_EQ(operator_.exchange(get("/readyz")).status(), 503);
  answer.open();
  for (client* each : {&guarded, &plain, &waiting}) {
    const http_message got = each->receive();
    EXPECT_EQ(got.body, "finished");
    EXPECT_EQ(got.field("Connection"), "close");
    EXPECT_TRUE(each->is_closed());
  }
  stopped.wait();
}

TEST(drain, answers_those_who_wait_before_its_end_and_ends_whatever_still_runs) {
  gate over;
  scripted_upstream upstream([&](upstream_peer& peer) {
    peer.next_request();
    over.wait();
  });
  auto chosen = settings_for({upstream.port()});
  chosen.timeouts.drain = milliseconds(200);
  running_gateway tested(chosen);
  client runs(tested.port());
  runs.send(charge("k"));
  upstream.wait_for_requests(1);
  client waits(tested.port());
  waits.send(charge("k"));
  while (tested.whole().numbers().waiters == 0)
    std::this_thread::yield();
  gate stopped;
  tested.whole().begin_drain([&] { stopped.open(); });
  const http_message got = waits.receive();
  EXPECT_EQ(got.status(), 503);
  EXPECT_TRUE(got.has("Retry-After"));
  EXPECT_THAT(got.body, HasSubstr("draining"));
  stopped.wait();
  EXPECT_FALSE(runs.messages.read());
  over.open();
}

TEST(drain, waits_for_an_attempt_whose_client_has_gone) {
  gate answer;
  scripted_upstream upstream([&](upstream_peer& peer) {
    while (peer.next_request()) {
      answer.wait();
      peer.socket.write(response(200, "", "done"));
    }
  });
  std::atomic<int> completions{0};
  running_gateway tested(settings_for({upstream.port()}), [&](const command& what) -> std::optional<reply> {
    if (std::holds_alternative<complete>(what)) ++completions;
    return std::nullopt;
  });
  {
    client impatient(tested.port());
    impatient.send(charge("k"));
    upstream.wait_for_requests(1);
    impatient.socket.reset();
  }
  gate stopped;
  tested.whole().begin_drain([&] { stopped.open(); });
  answer.open();
  stopped.wait();
  EXPECT_EQ(completions, 1);
}

TEST(drain, may_be_cut_short) {
  gate over;
  scripted_upstream upstream([&](upstream_peer& peer) {
    peer.next_request();
    over.wait();
  });
  auto chosen = settings_for({upstream.port()});
  chosen.workers = 3;
  running_gateway tested(chosen);
  client one(tested.port());
  one.send(get("/"));
  upstream.wait_for_requests(1);
  tested.whole().begin_drain();
  tested.whole().stop_now();
  tested.whole().wait();
  EXPECT_FALSE(one.messages.read());
  over.open();
}

TEST(start, says_which_port_is_in_use) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "")));
  auto chosen = settings_for({upstream.port()});
  chosen.listen.port = upstream.port();
  try {
    const running_gateway tested(chosen);
    FAIL();
  } catch (const std::exception& why) {
    EXPECT_EQ(why.what(), "cannot listen on 127.0.0.1:" + std::to_string(upstream.port()) + ": the port is in use");
  }
}

}  // namespace
}  // namespace onceward::test
