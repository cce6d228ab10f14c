// Requests without a key: passed on as they come, in both directions.
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

using gateway::answer_kind;
using testing::HasSubstr;
using testing::Not;

TEST(relay, passes_a_request_and_its_response) {
  scripted_upstream upstream(
      scripted_upstream::answering(response(201, "X-One: 1\r\nContent-Type: text/plain\r\n", "hello")));
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  const http_message got = one.exchange(post("/things?a=b", "X-Mine: 7\r\n", "body"));
  EXPECT_EQ(got.start_line, "HTTP/1.1 201 Created");
  EXPECT_EQ(got.field("X-One"), "1");
  EXPECT_EQ(got.body, "hello");
  EXPECT_TRUE(got.has("Date"));
  const http_message asked = upstream.requests().at(0);
  EXPECT_EQ(asked.start_line, "POST /things?a=b HTTP/1.1");
  EXPECT_EQ(asked.field("Host"), "api.test");
  EXPECT_EQ(asked.field("X-Mine"), "7");
  EXPECT_EQ(asked.body, "body");
  EXPECT_EQ(tested.answers(answer_kind::passed), 1u);
}

TEST(relay, adds_what_a_proxy_adds) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "")));
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  one.exchange(get("/"));
  one.exchange(get("/", "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.8\r\n"));
  const auto asked = upstream.requests();
  EXPECT_EQ(asked.at(0).field("X-Forwarded-For"), "127.0.0.1");
  EXPECT_EQ(asked.at(0).field("X-Forwarded-Proto"), "http");
  EXPECT_EQ(asked.at(0).field("X-Forwarded-Host"), "api.test");
  EXPECT_EQ(asked.at(0).field("Via"), "1.1 onceward");
  EXPECT_EQ(asked.at(1).field("X-Forwarded-For"), "192.0.2.7, 192.0.2.8, 127.0.0.1");
  EXPECT_EQ(asked.at(1).field("X-Forwarded-Proto"), "https");
}

TEST(relay, keeps_hop_by_hop_fields_to_itself) {
  scripted_upstream upstream(scripted_upstream::answering(
      response(200, "Connection: X-Secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\n", "")));
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  const http_message got = one.exchange(get("/", "Connection: X-Drop\r\nX-Drop: 1\r\nTE: trailers\r\nX-Keep: 1\r\n"));
  EXPECT_FALSE(got.has("X-Secret"));
  EXPECT_FALSE(got.has("Keep-Alive"));
  const http_message asked = upstream.requests().at(0);
  EXPECT_FALSE(asked.has("X-Drop"));
  EXPECT_FALSE(asked.has("TE"));
  EXPECT_TRUE(asked.has("X-Keep"));
}

TEST(relay, uses_both_connections_again) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "x")));
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(one.exchange(get("/")).body, "x");
  EXPECT_EQ(upstream.connections(), 1);
}

TEST(relay, answers_pipelined_requests_in_order) {
  scripted_upstream upstream(scripted_upstream::answering(
      [](const http_message& request) { return response(200, "", request.start_line + request.body); }));
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  std::string all;
  for (int i = 0; i < 50; ++i)
    all += post("/" + std::to_string(i), "", std::string(static_cast<std::size_t>(i), 'x'));
  one.send(all);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(one.receive().body,
              "POST /" + std::to_string(i) + " HTTP/1.1" + std::string(static_cast<std::size_t>(i), 'x'));
  }
}

TEST(relay, passes_requests_that_arrive_byte_by_byte) {
  scripted_upstream upstream(
      scripted_upstream::answering([](const http_message& request) { return response(200, "", request.body); }));
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  const std::string chunked =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nT: "
      "1\r\n\r\n";
  for (const char c : chunked)
    one.send(std::string(1, c));
  EXPECT_EQ(one.receive().body, "hello world");
  EXPECT_FALSE(upstream.requests().at(0).has("T"));
}

TEST(relay, passes_large_bodies_both_ways_without_keeping_them) {
  const std::string large(30 << 20, 'l');
  scripted_upstream upstream(
      scripted_upstream::answering([](const http_message& request) { return response(200, "", request.body); }));
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  std::jthread sender([&] { one.send(post("/", "", large)); });
  EXPECT_EQ(one.receive().body, large);
}

TEST(relay, passes_a_response_as_it_comes) {
  gate second_half;
  scripted_upstream upstream([&](upstream_peer& peer) {
    peer.next_request();
    peer.socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    second_half.wait();
    peer.socket.write("6\r\nsecond\r\n0\r\n\r\n");
    peer.next_request();
  });
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  one.send(get("/"));
  ASSERT_TRUE(one.messages.read_head());
  EXPECT_EQ(one.messages.read_bytes(10), "5\r\nfirst\r\n");
  second_half.open();
  EXPECT_EQ(one.messages.read_bytes(16), "6\r\nsecond\r\n0\r\n\r\n");
}

TEST(relay, passes_a_request_as_it_comes) {
  gate seen;
  std::string early;
  scripted_upstream upstream([&](upstream_peer& peer) {
    peer.messages.read_head();
    early = peer.messages.read_bytes(5);
    seen.open();
    early += peer.messages.read_bytes(5);
    peer.socket.write(response(200, "", ""));
  });
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  one.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfirst");
  seen.wait();
  one.send("later");
  EXPECT_EQ(one.receive().status(), 200);
  EXPECT_EQ(early, "firstlater");
}

TEST(relay, holds_the_upstream_back_when_the_client_is_slow) {
  constexpr std::size_t total = std::size_t{64} << 20;
  std::size_t sent_before_stall = 0;
  gate stalled;
  scripted_upstream upstream([&](upstream_peer& peer) {
    peer.next_request();
    const std::string body(total, 'x');
    peer.socket.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(total) + "\r\n\r\n");
    while (sent_before_stall < total && peer.socket.can_write_within(std::chrono::milliseconds(200))) {
      sent_before_stall += peer.socket.write_some(std::string_view(body).substr(sent_before_stall));
    }
    stalled.open();
    peer.socket.write(std::string_view(body).substr(sent_before_stall));
    peer.next_request();
  });
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  one.send(get("/"));
  stalled.wait();
  EXPECT_LT(sent_before_stall, total / 2);
  EXPECT_EQ(one.receive().body.size(), total);
}

TEST(relay, passes_bodies_that_end_with_the_connection) {
  scripted_upstream upstream([](upstream_peer& peer) {
    peer.next_request();
    peer.socket.write("HTTP/1.0 200 OK\r\n\r\nuntil the end");
  });
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  const http_message got = one.exchange(get("/"));
  EXPECT_EQ(got.body, "until the end");
  EXPECT_EQ(got.field("Transfer-Encoding"), "chunked");
  EXPECT_EQ(one.exchange(get("/")).body, "until the end");
}

TEST(relay, ends_a_response_of_unknown_length_to_an_old_client_with_the_connection) {
  scripted_upstream upstream([](upstream_peer& peer) {
    peer.next_request();
    peer.socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nold\r\n0\r\n\r\n");
    peer.next_request();
  });
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  one.send("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
  const http_message got = one.receive();
  EXPECT_FALSE(got.has("Transfer-Encoding"));
  EXPECT_EQ(got.field("Connection"), "close");
  EXPECT_EQ(got.body, "old");
}

TEST(relay, keeps_an_old_client_that_asks_for_it) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "x")));
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  for (int i = 0; i < 2; ++i) {
    one.send("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(one.receive().field("Connection"), "keep-alive");
  }
  one.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
  EXPECT_EQ(one.receive().field("Connection"), "close");
  EXPECT_TRUE(one.is_closed());
}

TEST(relay, names_the_upstream_for_an_old_client_that_names_no_host) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "x")));
  running_gateway tested(settings_for({upstream.port()}));
  EXPECT_EQ(client(tested.port()).exchange("GET / HTTP/1.0\r\n\r\n").status(), 200);
  const auto asked = upstream.requests();
  EXPECT_EQ(asked.at(0).field("Host"), "127.0.0.1:" + std::to_string(upstream.port()));
  EXPECT_FALSE(asked.at(0).has("X-Forwarded-Host"));
}

TEST(relay, tells_the_length_but_sends_no_body_to_head) {
  scripted_upstream upstream([](upstream_peer& peer) {
    while (peer.next_request())
      peer.socket.write("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");
  });
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  for (int i = 0; i < 2; ++i) {
    one.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(one.receive(true).field("Content-Length"), "7");
  }
}

TEST(relay, passes_interim_responses_but_not_to_old_clients) {
  scripted_upstream upstream(scripted_upstream::answering(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + response(200, "", "")));
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  EXPECT_EQ(one.exchange(get("/")).status(), 103);
  EXPECT_EQ(one.receive().status(), 200);
  client old(tested.port());
  EXPECT_EQ(old.exchange("GET / HTTP/1.0\r\nHost: a\r\n\r\n").status(), 200);
}

TEST(relay, answers_expectations_itself) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "")));
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  one.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(one.receive().status(), 100);
  one.send("body");
  EXPECT_EQ(one.receive().status(), 200);
  EXPECT_FALSE(upstream.requests().at(0).has("Expect"));
  // Not where the body is already there.
  one.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_EQ(one.receive().status(), 200);
}

TEST(relay, passes_an_early_response_and_then_closes) {
  scripted_upstream upstream([](upstream_peer& peer) {
    peer.messages.read_head();
    peer.socket.write(response(413, "", "too much"));
    peer.messages.read_head();
  });
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  one.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nsome");
  const http_message got = one.receive();
  EXPECT_EQ(got.status(), 413);
  EXPECT_EQ(got.body, "too much");
  EXPECT_EQ(got.field("Connection"), "close");
  EXPECT_TRUE(one.is_closed());
}

TEST(relay, tunnels_an_upgrade) {
  scripted_upstream upstream([](upstream_peer& peer) {
    const auto request = peer.next_request();
    if (!request->has("Upgrade")) return;
    peer.socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nwelcome");
    for (std::string piece = peer.socket.read_some(); !piece.empty(); piece = peer.socket.read_some())
      peer.socket.write(piece);
    peer.socket.write("bye");
  });
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  one.send("GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly");
  const http_message got = one.receive();
  EXPECT_EQ(got.status(), 101);
  EXPECT_EQ(got.field("Upgrade"), "echo");
  EXPECT_EQ(one.messages.read_bytes(12), "welcomeearly");
  const std::string large(8 << 20, 'z');
  std::jthread sender([&] {
    one.socket.write(large);
    one.socket.end_writing();
  });
  EXPECT_EQ(one.socket.read_to_end(), large + "bye");
  EXPECT_EQ(upstream.requests().at(0).field("Connection"), "upgrade");
}

TEST(relay, does_not_pass_upgrades_where_the_policy_forbids_them) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "")));
  auto chosen = settings_for({upstream.port()});
  chosen.defaults.unguarded_upgrades = false;
  running_gateway tested(chosen);
  client one(tested.port());
  EXPECT_EQ(one.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n").status(), 200);
  EXPECT_FALSE(upstream.requests().at(0).has("Upgrade"));
}

TEST(relay, refuses_a_switch_of_protocols_that_nobody_asked_for) {
  scripted_upstream upstream(
      scripted_upstream::answering("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"));
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  EXPECT_EQ(one.exchange(get("/")).status(), 502);
}

TEST(relay, repeats_a_safe_request_that_met_a_closing_connection) {
  scripted_upstream upstream([](upstream_peer& peer) {
    peer.next_request();
    peer.socket.write(response(200, "", std::to_string(peer.connection_number)));
    // The next request on this connection is read and never answered.
    if (peer.connection_number == 1)
      peer.next_request();
    else
      while (peer.next_request())
        peer.socket.write(response(200, "", "again"));
  });
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  EXPECT_EQ(one.exchange(get("/")).body, "1");
  EXPECT_EQ(one.exchange(get("/")).body, "2");
  EXPECT_EQ(upstream.requests().size(), 3u);
}

TEST(relay, does_not_repeat_an_unsafe_request_that_was_sent) {
  scripted_upstream upstream([](upstream_peer& peer) {
    peer.next_request();
    peer.socket.write(response(200, "", ""));
    peer.next_request();
  });
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  EXPECT_EQ(one.exchange(get("/")).status(), 200);
  const http_message got = one.exchange(post("/", "", "x"));
  EXPECT_EQ(got.status(), 502);
  EXPECT_THAT(got.body, HasSubstr("upstream-failed"));
  EXPECT_EQ(upstream.requests().size(), 2u);
}

TEST(relay, never_uses_a_connection_that_the_upstream_has_closed) {
  std::atomic<int> closed{0};
  scripted_upstream upstream([&](upstream_peer& peer) {
    peer.next_request();
    peer.socket.write(response(200, "", "x"));
    peer.socket.end_writing();
    ++closed;
    peer.next_request();
  });
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  for (int i = 0; i < 20; ++i) {
    while (closed < i)
      std::this_thread::yield();
    EXPECT_EQ(one.exchange(post("/", "", "x")).status(), 200);
  }
  EXPECT_EQ(upstream.requests().size(), 20u);
}

TEST(relay, does_not_reuse_a_connection_with_bytes_behind_the_response) {
  scripted_upstream upstream([](upstream_peer& peer) {
    peer.next_request();
    peer.socket.write(response(200, "", "x") + response(200, "", "smuggled"));
    peer.next_request();
  });
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  EXPECT_EQ(one.exchange(get("/")).body, "x");
  EXPECT_EQ(one.exchange(get("/")).body, "x");
  EXPECT_EQ(upstream.connections(), 2);
}

TEST(relay, turns_to_another_address_when_one_refuses) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "x")));
  std::uint16_t dead;
  {
    scripted_upstream gone(scripted_upstream::answering(""));
    dead = gone.port();
  }
  running_gateway tested(settings_for({dead, upstream.port()}));
  client one(tested.port());
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(one.exchange(post("/", "", "x")).status(), 200);
  const auto* counts = tested.whole().numbers().workers.at(0);
  EXPECT_EQ(counts->upstream_ejections.read(), 1u);
}

TEST(relay, takes_addresses_in_turn) {
  scripted_upstream left(scripted_upstream::answering(response(200, "", "l")));
  scripted_upstream right(scripted_upstream::answering(response(200, "", "r")));
  running_gateway tested(settings_for({left.port(), right.port()}));
  client one(tested.port());
  std::string order;
  for (int i = 0; i < 6; ++i)
    order += one.exchange(get("/")).body;
  EXPECT_THAT(order, testing::AnyOf("lrlrlr", "rlrlrl"));
}

TEST(relay, says_when_no_upstream_can_be_reached) {
  std::uint16_t dead;
  {
    scripted_upstream gone(scripted_upstream::answering(""));
    dead = gone.port();
  }
  running_gateway tested(settings_for({dead}));
  client one(tested.port());
  const http_message got = one.exchange(get("/"));
  EXPECT_EQ(got.status(), 502);
  EXPECT_EQ(got.field("Content-Type"), "application/problem+json");
  EXPECT_EQ(got.field("Onceward-Error-Source"), "gateway");
  EXPECT_EQ(got.field("Link"), "</.onceward/problems/upstream-unreachable>; rel=\"describedby\"");
  EXPECT_THAT(got.body, HasSubstr("\"urn:onceward:problem:upstream-unreachable\""));
  EXPECT_EQ(one.exchange(get("/")).status(), 502);
}

TEST(relay, finds_upstreams_by_name) {
  scripted_upstream upstream(scripted_upstream::answering(response(200, "", "x")));
  auto chosen = settings_for({});
  chosen.upstreams.push_back({"localhost", upstream.port()});
  running_gateway tested(chosen);
  client one(tested.port());
  EXPECT_EQ(one.exchange(get("/")).body, "x");
}

TEST(relay, cuts_a_response_that_the_upstream_did_not_finish) {
  for (const std::string framing : {"Content-Length: 100\r\n", "Transfer-Encoding: chunked\r\n"}) {
    scripted_upstream upstream([&](upstream_peer& peer) {
      peer.next_request();
      peer.socket.write("HTTP/1.1 200 OK\r\n" + framing + "\r\n5\r\npart");
    });
    running_gateway tested(settings_for({upstream.port()}));
    client one(tested.port());
    one.send(get("/"));
    EXPECT_FALSE(one.messages.read());
  }
}

TEST(relay, refuses_malformed_responses) {
  for (const std::string bad : {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
                                "nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"}) {
    scripted_upstream upstream(scripted_upstream::answering(bad));
    running_gateway tested(settings_for({upstream.port()}));
    client one(tested.port());
    EXPECT_EQ(one.exchange(get("/")).status(), 502) << bad;
  }
}

TEST(relay, answers_a_client_that_has_ended_its_sending) {
  gate half_closed;
  scripted_upstream upstream([&](upstream_peer& peer) {
    peer.next_request();
    half_closed.wait();
    peer.socket.write(response(200, "", "still here"));
  });
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  one.send(get("/"));
  one.socket.end_writing();
  upstream.wait_for_requests(1);
  half_closed.open();
  EXPECT_EQ(one.receive().body, "still here");
  EXPECT_TRUE(one.is_closed());
}

TEST(relay, hangs_up_on_the_upstream_when_the_client_has_gone) {
  gate hung_up;
  scripted_upstream upstream([&](upstream_peer& peer) {
    peer.next_request();
    EXPECT_FALSE(peer.next_request());
    hung_up.open();
  });
  running_gateway tested(settings_for({upstream.port()}));
  client one(tested.port());
  one.send(get("/"));
  upstream.wait_for_requests(1);
  one.socket.reset();
  hung_up.wait();
}

}  // namespace
}  // namespace onceward::test
