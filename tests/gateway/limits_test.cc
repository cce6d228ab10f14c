// Every bound of a proxy that faces the internet, and what whoever exceeds it gets.
#include <chrono>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/gateway/running_gateway.h"
#include "tests/gateway/scripted_upstream.h"

namespace onceward::test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

struct limits : testing::Test {
  limits()
      : upstream(scripted_upstream::answering(response(200, "", "fine"))), chosen(settings_for({upstream.port()})) {}

  // The one answer to `request` on a connection that ends with it.
  http_message last_answer(running_gateway& tested, std::string_view request) {
    client one(tested.port());
    const http_message got = one.exchange(request);
    EXPECT_TRUE(one.is_closed());
    return got;
  }

  scripted_upstream upstream;
  gateway::settings chosen;
};

// Answers each request once `open` is.
scripted_upstream::script serve_after(gate& open) {
  return [&open](upstream_peer& peer) {
    while (peer.next_request()) {
      open.wait();
      peer.socket.write(response(200, "", "served"));
    }
  };
}

TEST_F(limits, a_request_line_may_have_so_many_bytes) {
  chosen.limits.target_bytes_max = 100;
  running_gateway tested(chosen);
  const std::string head_end = " HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string path = "/" + std::string(100 - std::string("GET / HTTP/1.1").size(), 'x');
  client one(tested.port());
  EXPECT_EQ(one.exchange("GET " + path + head_end).status(), 200);
  const http_message got = last_answer(tested, "GET " + path + "x" + head_end);
  EXPECT_EQ(got.status(), 414);
  EXPECT_EQ(got.field("Content-Type"), "application/problem+json");
  EXPECT_EQ(got.field("Connection"), "close");
}

TEST_F(limits, a_head_may_have_so_many_bytes_and_fields) {
  chosen.limits.header_bytes_max = 1000;
  chosen.limits.header_fields_max = 10;
  running_gateway tested(chosen);
  const auto head_of = [](std::size_t bytes) {
    return get("/", "X: " + std::string(bytes - get("/", "X: \r\n").size(), 'x') + "\r\n");
  };
  client exact(tested.port());
  EXPECT_EQ(exact.exchange(head_of(1000)).status(), 200);
  EXPECT_EQ(last_answer(tested, head_of(1001)).status(), 431);
  std::string fields;
  for (int i = 0; i < 9; ++i)
    fields += "X: y\r\n";
  client one(tested.port());
  EXPECT_EQ(one.exchange(get("/", fields)).status(), 200);
  EXPECT_EQ(last_answer(tested, get("/", fields + "X: y\r\n")).status(), 431);
}

TEST_F(limits, a_streamed_body_may_have_so_many_bytes) {
  chosen.limits.unguarded_body_bytes_max = 10;
  running_gateway tested(chosen);
  client one(tested.port());
  EXPECT_EQ(one.exchange(post("/", "", "0123456789")).status(), 200);
  EXPECT_EQ(last_answer(tested, post("/", "", "0123456789x")).status(), 413);
  EXPECT_EQ(last_answer(tested,
                        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n5\r\n6789x\r\n"
                        "0\r\n\r\n")
                .status(),
            413);
}

TEST_F(limits, a_head_must_come_in_time) {
  chosen.timeouts.client_head = milliseconds(50);
  running_gateway tested(chosen);
  const http_message got = last_answer(tested, "GET / HTTP/1.1\r\nHos");
  EXPECT_EQ(got.status(), 408);
  EXPECT_EQ(got.field("Content-Type"), "application/problem+json");
}

TEST_F(limits, a_body_must_go_on_coming) {
  chosen.timeouts.client_body = milliseconds(50);
  running_gateway tested(chosen);
  EXPECT_EQ(last_answer(tested, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234").status(), 408);
  EXPECT_EQ(last_answer(tested, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n").status(), 408);
  EXPECT_EQ(last_answer(tested, "POST / HTTP/1.1\r\nHost: a\r\nIdempotency-Key: k\r\nContent-Length: 10\r\n\r\n01234")
                .status(),
            408);
  for (const http_message& asked : upstream.requests())
    EXPECT_FALSE(asked.has("Idempotency-Key"));
}

TEST_F(limits, a_connection_without_a_request_is_closed_without_a_word) {
  chosen.timeouts.client_idle = milliseconds(50);
  running_gateway tested(chosen);
  client silent(tested.port());
  EXPECT_TRUE(silent.is_closed());
  // A slow machine may close it before the request is there: then once more.
  while (true) {
    client after_one(tested.port());
    after_one.send(get("/"));
    if (!after_one.messages.read()) continue;
    EXPECT_TRUE(after_one.is_closed());
    break;
  }
}

TEST_F(limits, a_refused_upload_is_cut_off) {
  running_gateway tested(chosen);
  client eager(tested.port());
  const std::string piece(64 << 10, 'x');
  EXPECT_EQ(eager.exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999\r\n\r\n" + piece).status(),
            413);
  while (eager.socket.write(piece)) {
  }
}

TEST_F(limits, a_client_must_take_its_answer) {
  chosen.timeouts.client_write = milliseconds(50);
  const std::string large(32 << 20, 'x');
  scripted_upstream generous(scripted_upstream::answering(response(200, "", large)));
  chosen.upstreams.at(0).port = generous.port();
  running_gateway tested(chosen);
  client lazy(tested.port());
  lazy.send(get("/"));
  while (tested.answers(gateway::answer_kind::abandoned) == 0)
    std::this_thread::yield();
  EXPECT_LT(lazy.socket.read_to_end().size(), large.size());
}

TEST_F(limits, an_upstream_must_answer_in_time) {
  scripted_upstream silent([](upstream_peer& peer) {
    peer.next_request();
    peer.next_request();
  });
  chosen.upstreams.at(0).port = silent.port();
  chosen.timeouts.upstream_response = milliseconds(50);
  running_gateway tested(chosen);
  client one(tested.port());
  const http_message got = one.exchange(get("/"));
  EXPECT_EQ(got.status(), 504);
  EXPECT_THAT(got.body, HasSubstr("upstream-timeout"));
  EXPECT_EQ(one.exchange(get("/")).status(), 504);
}

TEST_F(limits, an_upstream_must_go_on_answering) {
  scripted_upstream stuck([](upstream_peer& peer) {
    peer.next_request();
    peer.socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    peer.next_request();
  });
  chosen.upstreams.at(0).port = stuck.port();
  chosen.timeouts.upstream_body = milliseconds(50);
  running_gateway tested(chosen);
  client one(tested.port());
  one.send(get("/"));
  EXPECT_FALSE(one.messages.read());
}

TEST_F(limits, the_head_of_an_answer_may_have_so_many_bytes_and_fields) {
  chosen.limits.header_bytes_max = 1000;
  chosen.limits.header_fields_max = 10;
  const auto answer_of = [](std::size_t bytes) {
    return response(200, "X: " + std::string(bytes - response(200, "X: \r\n", "").size(), 'x') + "\r\n", "");
  };
  const auto fields_of = [](int count) {
    std::string fields;
    for (int i = 1; i < count; ++i)
      fields += "X: y\r\n";
    return response(200, fields, "");
  };
  scripted_upstream talkative(scripted_upstream::answering([&](const http_message& asked) {
    if (asked.start_line.starts_with("GET /bytes")) return answer_of(1000);
    if (asked.start_line.starts_with("GET /more-bytes")) return answer_of(1001);
    return fields_of(asked.start_line.starts_with("GET /fields") ? 10 : 11);
  }));
  chosen.upstreams.at(0).port = talkative.port();
  running_gateway tested(chosen);
  client one(tested.port());
  EXPECT_EQ(one.exchange(get("/bytes")).status(), 200);
  EXPECT_EQ(one.exchange(get("/fields")).status(), 200);
  for (const std::string_view path : {"/more-bytes", "/more-fields"}) {
    const http_message got = one.exchange(get(path));
    EXPECT_EQ(got.status(), 502) << path;
    EXPECT_THAT(got.body, HasSubstr("upstream-failed"));
  }
}

TEST_F(limits, a_request_to_the_gateway_itself_may_have_a_body_of_so_many_bytes) {
  running_gateway tested(chosen);
  const std::string largest(2 << 20, 'x');
  const std::string resolve = "/records/" + std::string(64, '0') + "/resolve";
  client exact(tested.admin_port());
  EXPECT_EQ(exact.exchange(post(resolve, "", largest)).status(), 400);
  client beyond(tested.admin_port());
  EXPECT_EQ(beyond.exchange(post(resolve, "", largest + "x")).status(), 413);
  client lookup(tested.port());
  EXPECT_EQ(lookup.exchange(post("/.onceward/record", "", largest + "x")).status(), 413);
}

TEST_F(limits, a_connection_to_the_upstream_is_not_kept_idle_for_ever) {
  gate closed;
  scripted_upstream watching([&](upstream_peer& peer) {
    peer.next_request();
    peer.socket.write(response(200, "", "fine"));
    if (!peer.next_request()) closed.open();
  });
  chosen.upstreams.at(0).port = watching.port();
  chosen.timeouts.upstream_idle = milliseconds(50);
  running_gateway tested(chosen);
  client one(tested.port());
  EXPECT_EQ(one.exchange(get("/")).status(), 200);
  closed.wait();
}

TEST_F(limits, so_many_idle_connections_to_the_upstream_are_kept) {
  gate answer;
  gate closed;
  scripted_upstream slow([&](upstream_peer& peer) {
    while (peer.next_request()) {
      answer.wait();
      peer.socket.write(response(200, "", "fine"));
    }
    closed.open();
  });
  chosen.upstreams.at(0).port = slow.port();
  chosen.limits.upstream_idle_max = 2;
  running_gateway tested(chosen);
  client one(tested.port());
  client two(tested.port());
  client three(tested.port());
  for (client* each : {&one, &two, &three})
    each->send(get("/"));
  slow.wait_for_requests(3);
  answer.open();
  for (client* each : {&one, &two, &three})
    EXPECT_EQ(each->receive().status(), 200);
  closed.wait();
  const auto& connections = tested.whole().numbers().workers.at(0)->upstream_connections;
  while (connections.read() > 2)
    std::this_thread::yield();
  EXPECT_EQ(connections.read(), 2);
}

TEST_F(limits, a_tunnel_in_which_nothing_moves_is_closed) {
  gate closed;
  scripted_upstream silent([&](upstream_peer& peer) {
    peer.next_request();
    peer.socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    if (peer.socket.read_some().empty()) closed.open();
  });
  chosen.upstreams.at(0).port = silent.port();
  chosen.timeouts.tunnel_idle = milliseconds(50);
  running_gateway tested(chosen);
  client one(tested.port());
  EXPECT_EQ(one.exchange(get("/", "Connection: Upgrade\r\nUpgrade: echo\r\n")).status(), 101);
  EXPECT_TRUE(one.is_closed());
  closed.wait();
}

TEST_F(limits, connections_over_the_limit_are_told_so) {
  chosen.limits.connections_max = 2;
  running_gateway tested(chosen);
  client one(tested.port());
  EXPECT_EQ(one.exchange(get("/")).status(), 200);
  client two(tested.port());
  EXPECT_EQ(two.exchange(get("/")).status(), 200);
  client three(tested.port());
  const http_message got = three.receive();
  EXPECT_EQ(got.status(), 503);
  EXPECT_TRUE(got.has("Retry-After"));
  EXPECT_THAT(got.body, HasSubstr("overloaded"));
  EXPECT_THAT(got.body, HasSubstr("\"new_key_safe\":false"));
  EXPECT_TRUE(three.is_closed());
  // Operators are let in all the same.
  client operator_(tested.admin_port());
  EXPECT_EQ(operator_.exchange(get("/livez")).status(), 200);
}

TEST_F(limits, requests_wait_for_a_connection_to_the_upstream_and_not_for_ever) {
  gate answer;
  scripted_upstream slow(serve_after(answer));
  chosen.upstreams.at(0).port = slow.port();
  chosen.limits.upstream_connections_max = 1;
  chosen.limits.upstream_queue_max = 1;
  chosen.timeouts.upstream_connect = std::chrono::seconds(60);
  running_gateway tested(chosen);
  client first(tested.port());
  first.send(get("/"));
  slow.wait_for_requests(1);
  // One waits, the other finds the queue full; which is which, the kernel decides.
  client second(tested.port());
  client third(tested.port());
  second.send(get("/"));
  third.send(get("/"));
  std::vector<int> statuses;
  const auto* counts = tested.whole().numbers().workers.at(0);
  while (counts->problems[gateway::slot(core::problem_type::overloaded)].read() == 0)
    std::this_thread::yield();
  answer.open();
  statuses = {second.receive().status(), third.receive().status()};
  EXPECT_THAT(statuses, testing::UnorderedElementsAre(200, 503));
  EXPECT_EQ(first.receive().status(), 200);
}

TEST_F(limits, a_request_that_waited_too_long_for_the_upstream_was_not_sent) {
  gate answer;
  scripted_upstream slow(serve_after(answer));
  chosen.upstreams.at(0).port = slow.port();
  chosen.limits.upstream_connections_max = 1;
  chosen.timeouts.upstream_connect = milliseconds(300);
  running_gateway tested(chosen);
  client first(tested.port());
  first.send(get("/"));
  slow.wait_for_requests(1);
  client second(tested.port());
  const std::string charge = post("/c", "Idempotency-Key: k\r\n", "x");
  const http_message got = second.exchange(charge);
  EXPECT_EQ(got.status(), 503);
  EXPECT_THAT(got.body, HasSubstr("overloaded"));
  EXPECT_THAT(got.body, HasSubstr("\"operation_state\":\"absent\""));
  answer.open();
  EXPECT_EQ(first.receive().status(), 200);
}

TEST_F(limits, duplicates_beyond_the_bound_do_not_wait) {
  gate answer;
  scripted_upstream slow(serve_after(answer));
  chosen.upstreams.at(0).port = slow.port();
  chosen.limits.waiters_per_key_max = 1;
  running_gateway tested(chosen);
  const std::string charge = post("/c", "Idempotency-Key: k\r\n", "x");
  client first(tested.port());
  first.send(charge);
  slow.wait_for_requests(1);
  client second(tested.port());
  second.send(charge);
  while (tested.whole().numbers().waiters == 0)
    std::this_thread::yield();
  client third(tested.port());
  const http_message got = third.exchange(charge);
  EXPECT_EQ(got.status(), 409);
  EXPECT_TRUE(got.has("Retry-After"));
  answer.open();
  EXPECT_EQ(second.receive().field("Idempotent-Replayed"), "true");
}

TEST_F(limits, waiters_of_all_keys_together_are_so_many) {
  gate answer;
  scripted_upstream slow(serve_after(answer));
  chosen.upstreams.at(0).port = slow.port();
  chosen.limits.waiters_max = 2;
  running_gateway tested(chosen);
  const auto charge = [](int key) { return post("/c", "Idempotency-Key: k" + std::to_string(key) + "\r\n", "x"); };
  std::deque<client> firsts;
  for (int key = 0; key < 3; ++key)
    firsts.emplace_back(tested.port()).send(charge(key));
  slow.wait_for_requests(3);
  client one(tested.port());
  one.send(charge(0));
  client two(tested.port());
  two.send(charge(1));
  while (tested.whole().numbers().waiters < 2)
    std::this_thread::yield();
  client beyond(tested.port());
  EXPECT_EQ(beyond.exchange(charge(2)).status(), 409);
  answer.open();
  for (client* each : {&one, &two})
    EXPECT_EQ(each->receive().field("Idempotent-Replayed"), "true");
}

TEST_F(limits, a_duplicate_waits_so_long) {
  gate answer;
  scripted_upstream slow(serve_after(answer));
  chosen.upstreams.at(0).port = slow.port();
  chosen.defaults.wait = milliseconds(30);
  running_gateway tested(chosen);
  const std::string charge = post("/c", "Idempotency-Key: k\r\n", "x");
  client first(tested.port());
  first.send(charge);
  slow.wait_for_requests(1);
  client second(tested.port());
  const http_message got = second.exchange(charge);
  EXPECT_EQ(got.status(), 409);
  EXPECT_THAT(got.body, HasSubstr("in-flight"));
  answer.open();
  EXPECT_EQ(first.receive().status(), 200);
}

TEST_F(limits, methods_that_a_proxy_must_not_take_are_refused) {
  running_gateway tested(chosen);
  client one(tested.port());
  EXPECT_EQ(one.exchange("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n").status(), 501);
  client two(tested.port());
  EXPECT_EQ(two.exchange("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n").status(), 501);
  EXPECT_TRUE(upstream.requests().empty());
}

TEST_F(limits, malformed_messages_get_a_problem_and_the_end_of_the_connection) {
  running_gateway tested(chosen);
  struct bad_request {
    std::string text;
    int status;
  };
  const std::vector<bad_request> cases = {
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"GET / HTTP/1.1\nHost: a\n\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-maybe\r\nContent-Length: 1\r\n\r\n", 417},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: Host\r\n\r\n", 400},
      {"POST /c HTTP/1.1\r\nHost: a\r\nIdempotency-Key: k\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX", 400},
  };
  for (const bad_request& each : cases) {
    // What comes behind is never taken for a request.
    const http_message got = last_answer(tested, each.text + get("/smuggled"));
    EXPECT_EQ(got.status(), each.status) << each.text;
    EXPECT_EQ(got.field("Content-Type"), "application/problem+json") << each.text;
  }
  for (const http_message& asked : upstream.requests())
    EXPECT_THAT(asked.start_line, testing::Not(HasSubstr("smuggled")));
}

}  // namespace
}  // namespace onceward::test
