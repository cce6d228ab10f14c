#include "net/transport.h"

#include <array>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/connect_attempt.h"
#include "net/deadline.h"
#include "net/listener.h"
#include "net/send_batch.h"
#include "net/signals.h"
#include "net/tcp_transport.h"

namespace onceward::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct recorder final : transport_user {
  void on_readable() override { when_readable(); }
  void on_writable() override { when_writable(); }
  void on_lost() override { when_lost(); }
  void on_withdrawn() override { when_withdrawn(); }
  bool still_sends() const override { return wants_to_send; }
  bool wants_to_send = true;
  std::function<void()> when_readable = [] { ADD_FAILURE() << "not asked to be told"; };
  std::function<void()> when_writable = [] { ADD_FAILURE() << "not asked to be told"; };
  std::function<void()> when_withdrawn = [] { ADD_FAILURE() << "still wanted"; };
  std::function<void()> when_lost = [] { ADD_FAILURE() << "not asked to be told"; };
};

// A connected pair on one loop, with a bound on how long any test may wait.
struct transport_test : testing::Test {
  transport_test() : stuck(owner, [] { FAIL() << "nothing happened"; }) {
    stuck.arm(owner.now() + seconds(30));
    listening = std::move(*listener::open(owner, *parse_address("127.0.0.1", 0)));
    const auto both = [this] {
      if (server && client) owner.stop();
    };
    listening->start([this, both](std::unique_ptr<transport> accepted) {
      server = std::move(accepted);
      server->set_user(&server_user);
      both();
    });
    connect_attempt attempt(owner, listening->local(), owner.now() + seconds(10), [&](auto made) {
      client = std::move(*made);
      client->set_user(&client_user);
      both();
    });
    owner.run();
  }

  // The first send() may be put off: the second has the result.
  static void send_and_then(transport& to, recorder& user, std::string bytes, std::function<void()> then) {
    const transfer moved = to.send(bytes);
    if (moved.status == transfer_status::would_block) {
      user.when_writable = [&to, &user, bytes, then = std::move(then)] { send_and_then(to, user, bytes, then); };
      return to.await_writable();
    }
    EXPECT_EQ(moved.status, transfer_status::moved);
    EXPECT_EQ(moved.bytes, bytes.size());
    then();
  }

  // Otherwise there is nothing to test: the kernel takes no batches here, from anybody.
  bool is_put_off(const transfer& what) {
    if (what.status == transfer_status::would_block) return true;
    EXPECT_FALSE(takes_batches());
    owner.stop();
    no_batches = true;
    return false;
  }

  static bool takes_batches() {
    struct nobody final : detail::send_batch::sender {
      bool still_sends() const override { return false; }
      void on_sent(ssize_t) override {}
    } who;
    detail::send_batch tried;
    tried.begin();
    const bool taken = tried.leave(-1, "x", who);
    tried.end();
    return taken;
  }

  // The client, which waits for something, is told of the end and of no bytes before it.
  void expect_only_the_end_at_client() {
    client_user.when_readable = [this] {
      std::array<char, 64> into;
      EXPECT_EQ(client->receive(into).status, transfer_status::ended);
      owner.stop();
    };
    client->await_readable();
    owner.run();
  }

  void TearDown() override {
    if (no_batches) GTEST_SKIP() << "the kernel has no context for asynchronous I/O";
  }

  std::string receive_all(transport& from) {
    std::string all;
    std::array<char, 4096> piece;
    while (true) {
      const transfer got = from.receive(piece);
      if (got.status != transfer_status::moved) return all;
      all.append(piece.data(), got.bytes);
    }
  }

  bool no_batches = false;
  loop owner;
  deadline stuck;
  recorder server_user;
  recorder client_user;
  std::unique_ptr<listener> listening;
  std::unique_ptr<transport> server;
  std::unique_ptr<transport> client;
};

TEST_F(transport_test, carries_bytes_and_tells_when_there_are_some) {
  std::array<char, 64> into;
  EXPECT_EQ(server->receive(into).status, transfer_status::would_block);
  server_user.when_readable = [&] {
    EXPECT_EQ(receive_all(*server), "hello");
    owner.stop();
  };
  server->await_readable();
  server->await_readable();
  EXPECT_EQ(client->send("hello").bytes, 5u);
  owner.run();
  EXPECT_EQ(server->peer_ip(), "127.0.0.1");
}

TEST_F(transport_test, tells_of_bytes_that_came_before_anybody_asked) {
  EXPECT_EQ(client->send("one").bytes, 3u);
  server_user.when_readable = [&] {
    std::array<char, 2> into;
    EXPECT_EQ(server->receive(into).bytes, 2u);
    server_user.when_readable = [&] {
      EXPECT_EQ(receive_all(*server), "e");
      owner.stop();
    };
    server->await_readable();
  };
  server->await_readable();
  owner.run();
}

TEST_F(transport_test, tells_when_a_full_connection_takes_bytes_again) {
  const std::string piece(1 << 16, 'x');
  std::size_t sent = 0;
  transfer last{};
  while ((last = client->send(piece)).status == transfer_status::moved)
    sent += last.bytes;
  EXPECT_EQ(last.status, transfer_status::would_block);
  client_user.when_writable = [&] {
    EXPECT_EQ(client->send(piece).status, transfer_status::moved);
    owner.stop();
  };
  client->await_writable();
  std::size_t received = 0;
  server_user.when_readable = [&] {
    received += receive_all(*server).size();
    server->await_readable();
  };
  server->await_readable();
  owner.run();
  EXPECT_GT(received, 0u);
  EXPECT_GT(sent, 0u);
}

TEST_F(transport_test, keeps_sending_to_a_peer_that_ended_its_own_sending) {
  client->end_sending();
  server_user.when_readable = [&] {
    std::array<char, 8> into;
    EXPECT_EQ(server->receive(into).status, transfer_status::ended);
    send_and_then(*server, server_user, "answer", [] {});
  };
  server->await_readable();
  client_user.when_readable = [&] {
    EXPECT_EQ(receive_all(*client), "answer");
    owner.stop();
  };
  client->await_readable();
  owner.run();
}

TEST_F(transport_test, tells_of_a_reset_after_the_peer_ended_its_sending) {
  client->end_sending();
  server_user.when_readable = [&] {
    std::array<char, 8> into;
    EXPECT_EQ(server->receive(into).status, transfer_status::ended);
    server->await_lost();
    client->reset_on_close();
    client.reset();
  };
  server->await_readable();
  server_user.when_lost = server_user.when_writable = [&] {
    const transfer_status sent = server->send("too late").status;
    if (sent == transfer_status::would_block) return server->await_writable();
    EXPECT_EQ(sent, transfer_status::failed);
    owner.stop();
  };
  owner.run();
}

// The kernel tells of the bytes and of the end at once, and only once.
TEST_F(transport_test, tells_of_an_end_that_came_together_with_the_last_bytes) {
  EXPECT_EQ(client->send("last").bytes, 4u);
  client.reset();
  std::array<char, 64> into;
  server_user.when_readable = [&] {
    EXPECT_EQ(server->receive(into).bytes, 4u);
    server_user.when_readable = [&] {
      EXPECT_EQ(server->receive(into).status, transfer_status::ended);
      owner.stop();
    };
    server->await_readable();
  };
  owner.post([&] { server->await_readable(); });
  owner.run();
}

TEST_F(transport_test, tells_of_bytes_that_came_while_nobody_waited_for_them) {
  EXPECT_EQ(client->send("unasked").bytes, 7u);
  client->await_writable();
  client_user.when_writable = [&] {
    // The loop has seen the server's bytes by now, or will: it must not matter.
    server->await_readable();
  };
  server_user.when_readable = [&] {
    EXPECT_EQ(receive_all(*server), "unasked");
    owner.stop();
  };
  owner.run();
}

TEST_F(transport_test, tells_of_each_thing_that_is_awaited_when_both_come_at_once) {
  server->await_readable();
  server->await_writable();
  EXPECT_EQ(client->send("x").bytes, 1u);
  int told = 0;
  const auto both = [&] {
    if (++told == 2) owner.stop();
  };
  server_user.when_readable = server_user.when_writable = both;
  owner.run();
  EXPECT_EQ(told, 2);
}

TEST_F(transport_test, may_be_destroyed_by_whom_it_tells) {
  server->await_readable();
  server->await_writable();
  EXPECT_EQ(client->send("x").bytes, 1u);
  server_user.when_readable = server_user.when_writable = [&] {
    server.reset();
    owner.post([&] { owner.stop(); });
  };
  owner.run();
  EXPECT_EQ(server, nullptr);
}

// ---- Sends that are put off ----------------------------------------------------------------------------------------

TEST_F(transport_test, sends_what_both_sides_have_to_say_in_one_turn) {
  EXPECT_EQ(client->send("to the server").bytes, 13u);
  EXPECT_EQ(server->send("to the client").bytes, 13u);
  int sent = 0;
  std::string at_server, at_client;
  const auto answer = [&](transport& by, recorder& user, std::string& received) {
    const bool is_first = received.empty();
    received += receive_all(by);
    by.await_readable();
    if (is_first) send_and_then(by, user, " and back", [&] { ++sent; });
    if (at_server.size() == 22 && at_client.size() == 22) owner.stop();
  };
  server_user.when_readable = [&] { answer(*server, server_user, at_server); };
  client_user.when_readable = [&] { answer(*client, client_user, at_client); };
  server->await_readable();
  client->await_readable();
  owner.run();
  EXPECT_EQ(at_server, "to the server and back");
  EXPECT_EQ(at_client, "to the client and back");
  EXPECT_EQ(sent, 2);
}

TEST_F(transport_test, does_not_send_what_it_put_off_once_its_user_has_gone) {
  EXPECT_EQ(client->send("x").bytes, 1u);
  server_user.when_readable = [&] {
    if (!is_put_off(server->send("never"))) return;
    server->await_writable();
    server.reset();
  };
  server->await_readable();
  client_user.when_readable = [&] {
    std::array<char, 64> into;
    const transfer got = client->receive(into);
    EXPECT_EQ(got.bytes, 0u);
    if (got.status == transfer_status::would_block) return client->await_readable();
    owner.stop();
  };
  client->await_readable();
  owner.run();
}

TEST_F(transport_test, asks_its_user_once_more_before_it_sends_what_it_put_off) {
  EXPECT_EQ(client->send("x").bytes, 1u);
  server_user.when_readable = [&] {
    if (!is_put_off(server->send("no more"))) return;
    server_user.wants_to_send = false;
    server_user.when_withdrawn = [&] { server->end_sending(); };
    server->await_writable();
  };
  server->await_readable();
  expect_only_the_end_at_client();
}

TEST_F(transport_test, ends_its_sending_before_what_it_put_off) {
  EXPECT_EQ(client->send("x").bytes, 1u);
  server_user.when_readable = [&] {
    if (!is_put_off(server->send("never"))) return;
    server->end_sending();
  };
  server->await_readable();
  expect_only_the_end_at_client();
}

// Both have events under way in one turn; the first that is told ends the other.
TEST_F(transport_test, is_known_to_be_quiet_while_what_the_kernel_told_of_is_handed_out) {
  server_user.when_readable = [&] {
    EXPECT_TRUE(client->is_known_quiet());
    EXPECT_FALSE(server->is_known_quiet());
    EXPECT_EQ(receive_all(*server), "hello");
    EXPECT_TRUE(server->is_known_quiet());
    owner.post([&] {
      EXPECT_FALSE(client->is_known_quiet());  // Much may have come since the kernel was asked.
      owner.stop();
    });
  };
  server->await_readable();
  EXPECT_EQ(client->send("hello").bytes, 5u);
  owner.run();
}

TEST_F(transport_test, is_not_known_to_be_quiet_when_its_end_is_still_to_be_told) {
  server_user.when_readable = [&] {
    EXPECT_FALSE(client->is_known_quiet());
    owner.stop();
  };
  server->await_readable();
  EXPECT_EQ(client->send("hello").bytes, 5u);
  server->end_sending();
  owner.run();
}

TEST_F(transport_test, is_not_known_to_be_quiet_while_the_kernel_may_have_more_to_say) {
  constexpr int more_than_a_lot = 33;
  struct talker {
    std::array<int, 2> ends{};
    recorder user;
    std::unique_ptr<transport> heard;
    ~talker() { ::close(ends[1]); }
  };
  std::array<talker, more_than_a_lot> talkers;
  int told = 0;
  for (talker& each : talkers) {
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, each.ends.data()), 0);
    each.heard = make_tcp_transport(owner, each.ends[0], listening->local());
    each.heard->set_user(&each.user);
    each.user.when_readable = [&] {
      ++told;
      if (told == 1) {
        EXPECT_FALSE(client->is_known_quiet());
      } else if (told == more_than_a_lot) {
        EXPECT_TRUE(client->is_known_quiet());
        owner.stop();
      }
    };
    each.heard->await_readable();
    ASSERT_EQ(::write(each.ends[1], "x", 1), 1);
  }
  owner.run();
}

TEST_F(transport_test, is_not_known_to_be_quiet_once_what_was_put_off_is_sent) {
  server_user.when_readable = [&] {
    if (!is_put_off(server->send("for the client"))) return;
    server_user.when_writable = [&] {
      EXPECT_FALSE(client->is_known_quiet());
      owner.stop();
    };
    server->await_writable();
  };
  server->await_readable();
  EXPECT_EQ(client->send("hello").bytes, 5u);
  owner.run();
}

TEST_F(transport_test, is_told_nothing_that_was_under_way_when_it_went) {
  EXPECT_EQ(client->send("x").bytes, 1u);
  EXPECT_EQ(server->send("x").bytes, 1u);
  int told = 0;
  const auto end_both = [&] {
    ++told;
    server.reset();
    client.reset();
    owner.post([&] { owner.stop(); });
  };
  server_user.when_readable = client_user.when_readable = end_both;
  server->await_readable();
  client->await_readable();
  owner.run();
  EXPECT_EQ(told, 1);
}

TEST_F(transport_test, tells_nobody_after_it_has_gone) {
  server->await_readable();
  server->await_lost();
  server.reset();
  owner.post([&] { owner.stop(); });
  owner.run();
}

TEST_F(transport_test, sends_what_it_can_after_it_was_closed_by_the_peer) {
  client.reset();
  server_user.when_readable = [&] {
    std::array<char, 8> into;
    EXPECT_EQ(server->receive(into).status, transfer_status::ended);
    owner.stop();
  };
  server->await_readable();
  owner.run();
  // The peer answers the first send with a reset.
  transfer last{};
  while ((last = server->send("x")).status == transfer_status::moved) {
  }
  EXPECT_EQ(last.status, transfer_status::failed);
}

TEST_F(transport_test, a_listener_that_stops_accepts_what_the_kernel_has_and_then_refuses) {
  const address where = listening->local();
  loop other;
  std::unique_ptr<transport> queued;
  connect_attempt attempt(other, where, other.now() + seconds(10), [&](auto made) {
    queued = std::move(*made);
    other.stop();
  });
  other.run();
  server.reset();
  listening->stop();
  EXPECT_NE(server, nullptr);
  errc reason{};
  connect_attempt late(owner, where, owner.now() + seconds(10), [&](auto made) {
    EXPECT_FALSE(made);
    reason = made.error();
    owner.stop();
  });
  owner.run();
  EXPECT_EQ(reason, errc::unavailable);
}

TEST_F(transport_test, two_listeners_share_an_address) {
  loop other;
  EXPECT_TRUE(is_in_use(listening->local()));
  EXPECT_TRUE(listener::open(other, listening->local()));
}

TEST(listener, says_why_it_cannot_listen) {
  loop owner;
  EXPECT_FALSE(is_in_use(*parse_address("127.0.0.1", 0)));
  EXPECT_EQ(listener::open(owner, *parse_address("192.0.2.1", 0)).error(), errc::invalid);
}

TEST(connect_attempt, gives_up_in_time) {
  loop owner;
  const base::moment start = owner.now();
  // An address of the range for documentation: packets to it are dropped, or this machine says at once that it has no
  // way there.
  errc reason{};
  connect_attempt attempt(owner, *parse_address("192.0.2.1", 80), start + milliseconds(20), [&](auto made) {
    reason = made.error();
    owner.stop();
  });
  owner.run();
  EXPECT_TRUE(reason == errc::timeout || reason == errc::unavailable);
}

TEST(connect_attempt, that_was_given_up_tells_nobody) {
  loop owner;
  {
    connect_attempt attempt(owner, *parse_address("127.0.0.1", 1), owner.now() + seconds(10),
                            [](auto) { ADD_FAILURE(); });
  }
  owner.post([&] { owner.stop(); });
  owner.run();
}

TEST(address, is_parsed_from_text_and_back) {
  EXPECT_EQ(to_string(*parse_address("127.0.0.1", 80)), "127.0.0.1:80");
  EXPECT_EQ(to_string(*parse_address("[::1]", 8080)), "[::1]:8080");
  EXPECT_EQ(to_string(*parse_address("::1", 8080)), "[::1]:8080");
  EXPECT_FALSE(parse_address("localhost", 80));
  EXPECT_FALSE(parse_address("", 80));
}

TEST(resolver, finds_a_name_and_says_when_there_is_none) {
  loop owner;
  resolver names(owner);
  names.resolve("localhost", 80, [&](result<std::vector<address>> found) {
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->front().address().is_loopback());
    EXPECT_EQ(found->front().port(), 80);
    names.resolve("name.invalid", 80, [&](result<std::vector<address>> none) {
      EXPECT_FALSE(none);
      owner.stop();
    });
  });
  owner.run();
  EXPECT_TRUE(resolve_now("localhost", 80));
}

TEST(signal_watch, tells_of_each_signal) {
  loop owner;
  int seen = 0;
  signal_watch watch(owner, {SIGUSR1}, [&](int number) {
    EXPECT_EQ(number, SIGUSR1);
    if (++seen == 2) return owner.stop();
    std::raise(SIGUSR1);
  });
  std::raise(SIGUSR1);
  owner.run();
  EXPECT_EQ(seen, 2);
}

}  // namespace
}  // namespace onceward::net
