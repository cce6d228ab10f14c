// Requests with a key: one effect, whatever happens in between.
#include <atomic>
#include <deque>
#include <functional>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/gateway/running_gateway.h"
#include "tests/gateway/scripted_upstream.h"

namespace onceward::test {
namespace {

using gateway::answer_kind;
using std::chrono::milliseconds;
using testing::HasSubstr;

std::string charge(std::string_view key, std::string_view body = "{\"amount\":1}", std::string_view more = {}) {
  return post("/charges",
              "Authorization: Bearer one\r\nContent-Type: application/json\r\nIdempotency-Key: " + std::string(key) +
                  "\r\n" + std::string(more),
              body);
}

std::uint16_t dead_port() {
  scripted_upstream gone(scripted_upstream::answering(""));
  return gone.port();
}

TEST(guarded_exchange, runs_once_and_replays) {
  scripted_upstream upstream(scripted_upstream::answering(
      response(201, "Location: /charges/1\r\nX-Request-Id: r1\r\nSet-Cookie: a=b\r\n", "{\"id\":1}")));
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  const http_message first = one.exchange(charge("k1"));
  EXPECT_EQ(first.status(), 201);
  EXPECT_EQ(first.body, "{\"id\":1}");
  EXPECT_FALSE(first.has("Idempotent-Replayed"));
  EXPECT_EQ(first.field("X-Request-Id"), "r1");
  EXPECT_TRUE(first.has("Set-Cookie"));
  const http_message again = one.exchange(charge("\"k1\""));
  EXPECT_EQ(again.status(), 201);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.field("Location"), "/charges/1");
  EXPECT_EQ(again.field("Idempotent-Replayed"), "true");
  EXPECT_EQ(again.field("Original-X-Request-Id"), "r1");
  EXPECT_FALSE(again.has("Set-Cookie"));
  EXPECT_EQ(again.field("Cache-Control"), "no-store");
  EXPECT_EQ(upstream.requests().size(), 1u);
  EXPECT_EQ(tested.answers(answer_kind::executed), 1u);
  EXPECT_EQ(tested.answers(answer_kind::replayed), 1u);
}

// A loop that waits for the disk holds up whoever needs no record.
TEST(guarded_exchange, lets_the_store_use_an_idle_loop_while_nearly_all_requests_are_first_executions) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "")));
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  one.exchange(charge("k"));
  EXPECT_TRUE(tested.is_flushed_by(caller::busy));
  for (int i = 0; i < 100; ++i)
    one.exchange(charge("first-" + std::to_string(i)));
  EXPECT_TRUE(tested.is_flushed_by(caller::idle));
  for (int i = 0; i < 100; ++i)
    one.exchange(get("/charges"));
  one.exchange(charge("last"));
  EXPECT_TRUE(tested.is_flushed_by(caller::busy));
}

TEST(guarded_exchange, tells_the_upstream_key_attempt_and_fence_and_believes_no_client_about_them) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "")));
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  one.exchange(
      charge("k1", "x", "Idempotency-Attempt: 9\r\nIdempotency-Fence: 9\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n"));
  const http_message asked = upstream.requests().at(0);
  EXPECT_EQ(asked.field("Idempotency-Key"), "k1");
  EXPECT_EQ(asked.field("Idempotency-Attempt"), "1");
  EXPECT_EQ(asked.field("Idempotency-Fence"), "1");
  EXPECT_FALSE(asked.has("Upgrade"));
  EXPECT_EQ(asked.field("X-Forwarded-For"), "127.0.0.1");
  EXPECT_EQ(asked.body, "x");
}

TEST(guarded_exchange, forwards_the_key_in_the_form_that_the_route_wants) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "")));
  auto chosen = settings_for({upstream.port()});
  chosen.defaults.key.forwarding = core::key_forwarding::quoted;
  running_gateway tested(chosen);
  client one(tested.port());
  one.exchange(charge("k1"));
  EXPECT_EQ(upstream.requests().at(0).field("Idempotency-Key"), "\"k1\"");
}

TEST(guarded_exchange, refuses_another_payload_under_the_same_key) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "")));
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  one.exchange(charge("k1", "one item"));
  const http_message got = one.exchange(charge("k1", "two items"));
  EXPECT_EQ(got.status(), 422);
  EXPECT_THAT(got.body, HasSubstr("\"body\""));
  EXPECT_EQ(one.exchange(charge("k1", "one item")).field("Idempotent-Replayed"), "true");
  EXPECT_EQ(upstream.requests().size(), 1u);
}

TEST(guarded_exchange, keeps_callers_apart) {
  std::atomic<int> runs{0};
  scripted_upstream upstream(
      scripted_upstream::answering([&](const http_message&) { return response(200, "", std::to_string(++runs)); }));
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  EXPECT_EQ(one.exchange(post("/c", "Authorization: a\r\nIdempotency-Key: k\r\n", "x")).body, "1");
  EXPECT_EQ(one.exchange(post("/c", "Authorization: b\r\nIdempotency-Key: k\r\n", "x")).body, "2");
}

TEST(guarded_exchange, answers_a_hundred_parallel_duplicates_with_one_run) {
  gate all_waiting;
  scripted_upstream upstream([&](upstream_peer& peer) {
    while (peer.next_request()) {
      all_waiting.wait();
      peer.socket.write(response(201, "", "the one answer"));
    }
  });
  auto chosen = settings_for({upstream.port()});
  chosen.workers = 2;
  running_gateway tested(chosen);
  std::deque<client> clients;
  for (int i = 0; i < 100; ++i) {
    clients.emplace_back(tested.port());
    clients.back().send(charge("k1"));
  }
  // Whoever is not there yet when the attempt ends gets a replay all the same.
  upstream.wait_for_requests(1);
  all_waiting.open();
  for (client& each : clients) {
    const http_message got = each.receive();
    EXPECT_EQ(got.status(), 201);
    EXPECT_EQ(got.body, "the one answer");
  }
  EXPECT_EQ(upstream.requests().size(), 1u);
  EXPECT_EQ(tested.answers(answer_kind::executed), 1u);
  EXPECT_EQ(tested.answers(answer_kind::replayed), 99u);
}

TEST(guarded_exchange, runs_to_its_end_without_its_client_and_is_recorded) {
  gate client_gone;
  scripted_upstream upstream([&](upstream_peer& peer) {
    while (peer.next_request()) {
      client_gone.wait();
      peer.socket.write(response(201, "", "done"));
    }
  });
  running_gateway tested(settings_for({upstream.port()}));
  {
    client impatient(tested.port());
    impatient.send(charge("k1"));
    upstream.wait_for_requests(1);
    impatient.socket.reset();
  }
  client again(tested.port());
  again.send(charge("k1"));
  client_gone.open();
  const http_message got = again.receive();
  EXPECT_EQ(got.body, "done");
  EXPECT_EQ(got.field("Idempotent-Replayed"), "true");
  EXPECT_EQ(upstream.requests().size(), 1u);
}

TEST(guarded_exchange, does_not_begin_before_the_body_is_whole) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "")));
  running_gateway tested(settings_for({upstream.port()}));
  {
    client partial(tested.port());
    std::string text = charge("k1", "0123456789");
    text.resize(text.size() - 4);
    partial.send(text);
    partial.socket.end_writing();
    EXPECT_EQ(partial.receive().status(), 400);
    EXPECT_TRUE(partial.is_closed());
  }
  EXPECT_TRUE(upstream.requests().empty());
  client whole(tested.port());
  EXPECT_FALSE(whole.exchange(charge("k1", "0123456789")).has("Idempotent-Replayed"));
}

TEST(guarded_exchange, takes_chunked_bodies_and_forwards_their_length) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "")));
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  const std::string head = "POST /c HTTP/1.1\r\nHost: a\r\nIdempotency-Key: k\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(one.exchange(head + "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n").status(), 200);
  EXPECT_EQ(upstream.requests().at(0).field("Content-Length"), "6");
  EXPECT_EQ(upstream.requests().at(0).body, "abcdef");
  // The same bytes in other chunks are the same request.
  EXPECT_EQ(one.exchange(head + "6\r\nabcdef\r\n0\r\n\r\n").field("Idempotent-Replayed"), "true");
}

TEST(guarded_exchange, refuses_bodies_over_the_limit_to_the_byte) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "")));
  auto chosen = settings_for({upstream.port()});
  chosen.defaults.request_body_bytes_max = 100;
  running_gateway tested(chosen);
  client one(tested.port());
  EXPECT_EQ(one.exchange(charge("k1", std::string(100, 'x'))).status(), 200);
  const http_message got = one.exchange(charge("k2", std::string(101, 'x')));
  EXPECT_EQ(got.status(), 413);
  EXPECT_EQ(got.field("Content-Type"), "application/problem+json");
  EXPECT_TRUE(one.is_closed());
  client chunked(tested.port());
  EXPECT_EQ(
      chunked
          .exchange("POST /c HTTP/1.1\r\nHost: a\r\nIdempotency-Key: k3\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" +
                    std::string(101, 'x') + "\r\n0\r\n\r\n")
          .status(),
      413);
  // Nobody is invited to send what will be refused.
  client expecting(tested.port());
  EXPECT_EQ(expecting
                .exchange("POST /c HTTP/1.1\r\nHost: a\r\nIdempotency-Key: k4\r\nExpect: 100-continue\r\n"
                          "Content-Length: 101\r\n\r\n")
                .status(),
            413);
  EXPECT_EQ(upstream.requests().size(), 1u);
}

TEST(guarded_exchange, refuses_bad_keys_before_the_body_is_sent) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "")));
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  const http_message got = one.exchange(
      "POST /c HTTP/1.1\r\nHost: a\r\nIdempotency-Key: a, b\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(got.status(), 400);
  EXPECT_THAT(got.body, HasSubstr("key-invalid"));
  EXPECT_TRUE(one.is_closed());
  // A body that has come already costs the connection nothing.
  client kept(tested.port());
  EXPECT_EQ(kept.exchange(charge("a, b")).status(), 400);
  EXPECT_EQ(kept.exchange(charge("ab")).status(), 200);
}

TEST(guarded_exchange, finds_keys_in_bodies) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "x")));
  auto chosen = settings_for({upstream.port()});
  chosen.defaults.key.pointer = "/idempotency_key";
  running_gateway tested(chosen);
  client one(tested.port());
  const std::string keyed = post("/p", "Content-Type: application/json\r\n", R"({"idempotency_key":"k","n":1})");
  EXPECT_FALSE(one.exchange(keyed).has("Idempotent-Replayed"));
  EXPECT_TRUE(one.exchange(keyed).has("Idempotent-Replayed"));
  const std::string keyless = post("/p", "Content-Type: application/json\r\n", R"({"n":1})");
  EXPECT_FALSE(one.exchange(keyless).has("Idempotent-Replayed"));
  EXPECT_FALSE(one.exchange(keyless).has("Idempotent-Replayed"));
  EXPECT_EQ(one.exchange(post("/p", "Content-Type: application/json\r\n", R"({"idempotency_key":5})")).status(), 400);
  EXPECT_EQ(upstream.requests().size(), 3u);
  EXPECT_EQ(tested.answers(answer_kind::passed), 2u);
}

TEST(guarded_exchange, releases_the_key_when_nothing_was_sent) {
  const std::uint16_t port = dead_port();
  running_gateway tested(settings_for({port}));
  client one(tested.port());
  const http_message got = one.exchange(charge("k1"));
  EXPECT_EQ(got.status(), 502);
  EXPECT_THAT(got.body, HasSubstr("upstream-unreachable"));
  EXPECT_THAT(got.body, HasSubstr("\"operation_state\":\"absent\""));
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "x")), port);
  EXPECT_EQ(one.exchange(charge("k1")).status(), 200);
  EXPECT_EQ(upstream.requests().at(0).field("Idempotency-Attempt"), "2");
}

TEST(guarded_exchange, tries_another_address_at_once_when_one_refuses) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "x")));
  running_gateway tested(settings_for({dead_port(), upstream.port()}));
  client one(tested.port());
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(one.exchange(charge("k" + std::to_string(i))).status(), 200);
}

TEST(guarded_exchange, leaves_the_key_unknown_when_the_answer_does_not_come) {
  for (const std::string partial :
       {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf", "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy"}) {
    scripted_upstream upstream([&](upstream_peer& peer) {
      peer.next_request();
      peer.socket.write(partial);
    });
    running_gateway tested(settings_for({upstream.port()}));
    client one(tested.port());
    const http_message first = one.exchange(charge("k1"));
    EXPECT_EQ(first.status(), 502) << partial;
    EXPECT_THAT(first.body, HasSubstr("upstream-failed")) << partial;
    const http_message second = one.exchange(charge("k1"));
    EXPECT_EQ(second.status(), 409) << partial;
    EXPECT_THAT(second.body, HasSubstr("outcome-unknown")) << partial;
    EXPECT_EQ(upstream.requests().size(), 1u) << partial;
  }
}

TEST(guarded_exchange, leaves_the_key_unknown_when_the_upstream_takes_too_long) {
  scripted_upstream upstream([](upstream_peer& peer) {
    peer.next_request();
    peer.next_request();
  });
  auto chosen = settings_for({upstream.port()});
  chosen.timeouts.upstream_response = milliseconds(50);
  running_gateway tested(chosen);
  client one(tested.port());
  const http_message first = one.exchange(charge("k1"));
  EXPECT_EQ(first.status(), 504);
  EXPECT_THAT(first.body, HasSubstr("upstream-timeout"));
  EXPECT_EQ(one.exchange(charge("k1")).status(), 409);
}

TEST(guarded_exchange, releases_what_the_upstream_refused_to_do) {
  std::atomic<int> runs{0};
  scripted_upstream upstream(scripted_upstream::answering(
      [&](const http_message&) { return ++runs == 1 ? response(500, "", "sorry") : response(200, "", "fine"); }));
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  EXPECT_EQ(one.exchange(charge("k1")).body, "sorry");
  EXPECT_EQ(one.exchange(charge("k1")).body, "fine");
  EXPECT_TRUE(one.exchange(charge("k1")).has("Idempotent-Replayed"));
}

TEST(guarded_exchange, gives_those_who_waited_the_answer_of_a_released_attempt) {
  gate waiting;
  scripted_upstream upstream([&](upstream_peer& peer) {
    while (peer.next_request()) {
      waiting.wait();
      peer.socket.write(response(503, "X-Trouble: 1\r\n", "busy"));
    }
  });
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  one.send(charge("k1"));
  upstream.wait_for_requests(1);
  client two(tested.port());
  two.send(charge("k1"));
  while (tested.whole().numbers().waiters == 0)
    std::this_thread::yield();
  waiting.open();
  EXPECT_EQ(one.receive().body, "busy");
  const http_message same = two.receive();
  EXPECT_EQ(same.status(), 503);
  EXPECT_EQ(same.body, "busy");
  EXPECT_EQ(same.field("X-Trouble"), "1");
  EXPECT_FALSE(same.has("Idempotent-Replayed"));
  EXPECT_EQ(upstream.requests().size(), 1u);
}

TEST(guarded_exchange, takes_the_upstreams_word_on_the_outcome_and_keeps_it_to_itself) {
  scripted_upstream upstream(
      scripted_upstream::answering(response(500, "Idempotency-Outcome: completed;retention=60\r\n", "final")));
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  const http_message first = one.exchange(charge("k1"));
  EXPECT_EQ(first.status(), 500);
  EXPECT_FALSE(first.has("Idempotency-Outcome"));
  const http_message again = one.exchange(charge("k1"));
  EXPECT_EQ(again.body, "final");
  EXPECT_EQ(again.field("Idempotent-Replayed"), "true");
  EXPECT_FALSE(again.has("Idempotency-Outcome"));
}

TEST(guarded_exchange, streams_a_response_that_is_too_large_to_keep_and_remembers_that_it_was_given) {
  const std::string large(5 << 20, 'L');
  for (const bool chunked : {false, true}) {
    scripted_upstream upstream([&](upstream_peer& peer) {
      while (peer.next_request()) {
        if (!chunked) {
          peer.socket.write(response(201, "Location: /big\r\n", large));
        } else {
          peer.socket.write("HTTP/1.1 201 Created\r\nLocation: /big\r\nTransfer-Encoding: chunked\r\n\r\n500000\r\n" +
                            large + "\r\n0\r\n\r\n");
        }
      }
    });
    running_gateway tested(settings_for({upstream.port()}));
    client one(tested.port());
    EXPECT_EQ(one.exchange(charge("k1")).body, large);
    const http_message again = one.exchange(charge("k1"));
    EXPECT_EQ(again.status(), 409);
    EXPECT_THAT(again.body, HasSubstr("result-gone"));
    EXPECT_THAT(again.body, HasSubstr("/big"));
    EXPECT_EQ(upstream.requests().size(), 1u);
  }
}

TEST(guarded_exchange, keeps_a_response_of_exactly_the_limit) {
  std::atomic<std::size_t> size{100};
  scripted_upstream upstream(
      scripted_upstream::answering([&](const http_message&) { return response(200, "", std::string(size, 'x')); }));
  auto chosen = settings_for({upstream.port()});
  chosen.defaults.body_bytes_stored_max = 100;
  running_gateway tested(chosen);
  client one(tested.port());
  EXPECT_EQ(one.exchange(charge("k1")).body.size(), 100u);
  EXPECT_EQ(one.exchange(charge("k1")).status(), 200);
  size = 101;
  EXPECT_EQ(one.exchange(charge("k2")).body.size(), 101u);
  EXPECT_EQ(one.exchange(charge("k2")).status(), 409);
}

TEST(guarded_exchange, forwards_again_under_redispatch) {
  std::atomic<int> runs{0};
  scripted_upstream upstream([&](upstream_peer& peer) {
    while (peer.next_request()) {
      if (++runs == 1) return;
      peer.socket.write(response(200, "", "second time"));
    }
  });
  auto chosen = settings_for({upstream.port()});
  chosen.defaults.on_unknown = core::unknown_policy::redispatch;
  running_gateway tested(chosen);
  client one(tested.port());
  EXPECT_EQ(one.exchange(charge("k1")).status(), 502);
  EXPECT_EQ(one.exchange(charge("k1")).body, "second time");
  const auto asked = upstream.requests();
  EXPECT_EQ(asked.at(1).field("Idempotency-Attempt"), "2");
  EXPECT_EQ(asked.at(1).field("Idempotency-Key"), "k1");
}

TEST(guarded_exchange, asks_the_upstream_what_became_of_an_unknown_outcome) {
  std::atomic<int> probes{0};
  scripted_upstream upstream([&](upstream_peer& peer) {
    while (const auto request = peer.next_request()) {
      if (request->start_line.starts_with("POST")) return;
      peer.socket.write(++probes == 1 ? response(202, "", "") : response(200, "X-Found: 1\r\n", "it happened"));
    }
  });
  auto chosen = settings_for({upstream.port()});
  chosen.defaults.on_unknown = core::unknown_policy::probe;
  chosen.defaults.probe.url = "/by-key/{key}?amount={/amount}";
  chosen.defaults.probe.backoff = milliseconds(5);
  running_gateway tested(chosen);
  client one(tested.port());
  EXPECT_EQ(one.exchange(charge("\"k 1\"")).status(), 502);
  const http_message got = one.exchange(charge("\"k 1\""));
  EXPECT_EQ(got.status(), 200);
  EXPECT_EQ(got.body, "it happened");
  const auto asked = upstream.requests();
  EXPECT_EQ(asked.at(1).start_line, "GET /by-key/k%201?amount=1 HTTP/1.1");
  EXPECT_EQ(asked.at(1).field("Authorization"), "Bearer one");
  EXPECT_EQ(one.exchange(charge("\"k 1\"")).field("Idempotent-Replayed"), "true");
  EXPECT_EQ(asked.size(), 3u);
}

// An upstream that leaves the outcome of every POST unknown, and answers a probe as `answer` does.
scripted_upstream::script unknown_then(std::function<void(upstream_peer&)> answer) {
  return [answer](upstream_peer& peer) {
    while (const auto request = peer.next_request()) {
      if (request->start_line.starts_with("POST")) return;
      answer(peer);
    }
  };
}

TEST(guarded_exchange, does_not_wait_for_ever_for_what_became_of_an_unknown_outcome) {
  scripted_upstream upstream(unknown_then([](upstream_peer& peer) { peer.next_request(); }));
  auto chosen = settings_for({upstream.port()});
  chosen.defaults.on_unknown = core::unknown_policy::probe;
  chosen.defaults.probe.url = "/by-key/{key}";
  chosen.defaults.probe.timeout = milliseconds(50);
  running_gateway tested(chosen);
  client one(tested.port());
  EXPECT_EQ(one.exchange(charge("k")).status(), 502);
  const http_message got = one.exchange(charge("k"));
  EXPECT_EQ(got.status(), 409);
  EXPECT_THAT(got.body, HasSubstr("outcome-unknown"));
}

TEST(guarded_exchange, remembers_what_was_found_though_it_is_too_large_to_keep) {
  scripted_upstream upstream(unknown_then([](upstream_peer& peer) {
    peer.socket.write(response(200, "Location: /charges/7\r\n", std::string(101, 'x')));
  }));
  auto chosen = settings_for({upstream.port()});
  chosen.defaults.on_unknown = core::unknown_policy::probe;
  chosen.defaults.probe.url = "/by-key/{key}";
  chosen.defaults.body_bytes_stored_max = 100;
  running_gateway tested(chosen);
  client one(tested.port());
  EXPECT_EQ(one.exchange(charge("k")).status(), 502);
  for (int i = 0; i < 2; ++i) {
    const http_message got = one.exchange(charge("k"));
    EXPECT_EQ(got.status(), 409);
    EXPECT_THAT(got.body, HasSubstr("result-gone"));
    EXPECT_EQ(got.field("Location"), "/charges/7");
  }
  EXPECT_EQ(upstream.requests().size(), 2u);
}

TEST(guarded_exchange, runs_again_where_the_upstream_says_that_it_did_not_happen) {
  std::atomic<int> posts{0};
  scripted_upstream upstream([&](upstream_peer& peer) {
    while (const auto request = peer.next_request()) {
      if (request->start_line.starts_with("GET"))
        peer.socket.write(response(404, "", ""));
      else if (++posts == 1)
        return;
      else
        peer.socket.write(response(200, "", "now"));
    }
  });
  auto chosen = settings_for({upstream.port()});
  chosen.defaults.on_unknown = core::unknown_policy::probe;
  chosen.defaults.probe.url = "/by-key/{key}";
  running_gateway tested(chosen);
  client one(tested.port());
  EXPECT_EQ(one.exchange(charge("k1")).status(), 502);
  EXPECT_EQ(one.exchange(charge("k1")).body, "now");
}

TEST(guarded_exchange, does_not_reuse_a_connection_that_was_idle_for_too_long) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "")));
  auto chosen = settings_for({upstream.port()});
  chosen.timeouts.idle_reuse_max = milliseconds(0);
  running_gateway tested(chosen);
  client one(tested.port());
  one.exchange(charge("k1"));
  one.exchange(charge("k2"));
  EXPECT_EQ(upstream.connections(), 2);
}

// ---- The store fails -----------------------------------------------------------------------------------------------

TEST(guarded_exchange, forwards_nothing_while_the_store_is_down) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "")));
  running_gateway tested(settings_for({upstream.port()}), [](const command& what) -> std::optional<reply> {
    if (std::holds_alternative<claim>(what)) return store_failure{certainty::definite, errc::unavailable};
    return std::nullopt;
  });
  client one(tested.port());
  const http_message got = one.exchange(charge("k1"));
  EXPECT_EQ(got.status(), 503);
  EXPECT_TRUE(got.has("Retry-After"));
  EXPECT_THAT(got.body, HasSubstr("store-unavailable"));
  EXPECT_TRUE(upstream.requests().empty());
  EXPECT_EQ(one.exchange(get("/")).status(), 200);
}

TEST(guarded_exchange, passes_unguarded_and_says_so_where_the_route_prefers_that) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "served")));
  auto chosen = settings_for({upstream.port()});
  chosen.defaults.on_store_failure = core::store_failure_policy::pass;
  running_gateway tested(chosen, [](const command&) -> std::optional<reply> {
    return store_failure{certainty::definite, errc::unavailable};
  });
  client one(tested.port());
  const http_message got = one.exchange(charge("k1"));
  EXPECT_EQ(got.body, "served");
  EXPECT_EQ(got.field("Onceward-Unguarded"), "store-unavailable");
  EXPECT_EQ(upstream.requests().at(0).field("Idempotency-Key"), "k1");
  EXPECT_FALSE(upstream.requests().at(0).has("Idempotency-Attempt"));
  EXPECT_EQ(tested.answers(answer_kind::passed_for_outage), 1u);
}

TEST(guarded_exchange, withholds_an_answer_that_was_not_recorded_unless_told_otherwise) {
  for (const bool prefer_live : {false, true}) {
    scripted_upstream upstream(scripted_upstream::answering(response(200, "", "live")));
    auto chosen = settings_for({upstream.port()});
    chosen.defaults.prefer_live_response = prefer_live;
    chosen.defaults.lease = milliseconds(100);
    running_gateway tested(chosen, [](const command& what) -> std::optional<reply> {
      if (std::holds_alternative<complete>(what)) return store_failure{certainty::indefinite, errc::io};
      return std::nullopt;
    });
    client one(tested.port());
    const http_message got = one.exchange(charge("k1"));
    EXPECT_EQ(got.status(), prefer_live ? 200 : 503);
    EXPECT_EQ(got.has("Onceward-Not-Recorded"), prefer_live);
    EXPECT_EQ(got.body.find("not-recorded") != std::string::npos, !prefer_live);
  }
}

// ---- Answered here -------------------------------------------------------------------------------------------------

TEST(local_request, looks_up_what_became_of_a_request) {
  scripted_upstream upstream(scripted_upstream::answering(response(201, "", "kept")));
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  const std::string fields =
      "Authorization: Bearer one\r\nIdempotency-Key: k1\r\nOnceward-Operation: POST /charges\r\n";
  EXPECT_THAT(one.exchange(get("/.onceward/record", fields)).body, HasSubstr("\"absent\""));
  one.exchange(charge("k1"));
  EXPECT_THAT(one.exchange(get("/.onceward/record", fields)).body, HasSubstr("\"completed\""));
  const http_message stored = one.exchange(get("/.onceward/response", fields));
  EXPECT_EQ(stored.status(), 201);
  EXPECT_EQ(stored.body, "kept");
  EXPECT_EQ(stored.field("Idempotent-Replayed"), "true");
  EXPECT_EQ(one.exchange(get("/.onceward/problems/in-flight")).status(), 200);
  EXPECT_EQ(upstream.requests().size(), 1u);
}

TEST(local_request, believes_no_stranger_about_whose_records_it_asks_for) {
  scripted_upstream upstream(scripted_upstream::answering(response(201, "", "kept")));
  auto chosen = settings_for({upstream.port()});
  chosen.defaults.scope.kind = core::scope_kind::header;
  chosen.defaults.scope.header = "X-Tenant";
  chosen.trusted_peers = {"192.0.2.1"};
  running_gateway tested(chosen);
  client stranger(tested.port());
  for (const std::string_view what : {"/.onceward/record", "/.onceward/response"}) {
    const http_message got =
        stranger.exchange(get(what, "X-Tenant: alice\r\nIdempotency-Key: k1\r\nOnceward-Operation: POST /charges\r\n"));
    EXPECT_EQ(got.status(), 400);
    EXPECT_THAT(got.body, HasSubstr("credential-missing"));
  }
}

TEST(local_request, serves_the_admin_listener) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "")));
  running_gateway tested(settings_for({upstream.port()}));
  client operator_(tested.admin_port());
  EXPECT_EQ(operator_.exchange(get("/livez")).status(), 200);
  EXPECT_EQ(operator_.exchange(get("/readyz")).status(), 200);
  EXPECT_EQ(operator_.exchange(get("/metrics")).body, "numbers\n");
  EXPECT_EQ(operator_.exchange(get("/nothing")).status(), 404);
  operator_.send("HEAD /livez HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(operator_.receive(true).status(), 200);
  EXPECT_EQ(operator_.exchange(get("/livez")).status(), 200);
}

}  // namespace
}  // namespace onceward::test
