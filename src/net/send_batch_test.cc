#include "net/send_batch.h"

#include <cerrno>
#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace onceward::net::detail {
namespace {

// One end sends through the batch, the other shows what arrived.
struct sending_pair final : send_batch::sender {
  sending_pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0); }
  ~sending_pair() {
    for (const int end : ends) {
      if (end >= 0) ::close(end);
    }
  }

  void on_sent(ssize_t moved) override {
    told.push_back(moved);
    if (when_told) when_told();
  }

  bool still_sends() const override { return wants_to; }

  std::string arrived() const {
    std::string all(1 << 20, '\0');
    const ssize_t got = ::recv(ends[1], all.data(), all.size(), 0);
    return got < 0 ? std::string() : all.substr(0, static_cast<std::size_t>(got));
  }

  // Until it takes nothing more.
  void fill() const {
    const std::string piece(4096, 'f');
    while (::send(ends[0], piece.data(), piece.size(), 0) > 0) {
    }
  }

  int ends[2] = {-1, -1};
  std::vector<ssize_t> told;
  std::function<void()> when_told;
  bool wants_to = true;
};

struct send_batch_test : testing::Test {
  void SetUp() override {
    ::signal(SIGPIPE, SIG_IGN);  // As the loop has it.
    batch.begin();
    if (!kernel_has_contexts()) GTEST_SKIP() << "the kernel has no context for asynchronous I/O";
  }

  // Asked here, so that a batch which does not find it is not taken for a kernel that has none.
  static bool kernel_has_contexts() {
    aio_context_t made = 0;
    if (::syscall(SYS_io_setup, 1, &made) != 0) return false;
    ::syscall(SYS_io_destroy, made);
    return true;
  }

  void leave(sending_pair& with, std::string_view bytes) { EXPECT_TRUE(batch.leave(with.ends[0], bytes, with)); }

  send_batch batch;
  sending_pair one, two, three;
};

TEST_F(send_batch_test, sends_at_the_end_and_tells_each_how_much) {
  leave(one, "first");
  leave(two, "the second");
  EXPECT_EQ(one.arrived(), "");
  batch.end();
  EXPECT_EQ(one.arrived(), "first");
  EXPECT_EQ(two.arrived(), "the second");
  EXPECT_EQ(one.told, std::vector<ssize_t>{5});
  EXPECT_EQ(two.told, std::vector<ssize_t>{10});
}

TEST_F(send_batch_test, goes_on_after_a_batch) {
  for (int i = 0; i < 3; ++i) {
    leave(one, "again");
    leave(two, "and again");
    batch.end();
    EXPECT_EQ(one.arrived(), "again");
    EXPECT_EQ(two.arrived(), "and again");
    batch.begin();
  }
  batch.end();
}

TEST_F(send_batch_test, sends_a_single_one) {
  leave(one, "alone");
  batch.end();
  EXPECT_EQ(one.arrived(), "alone");
  EXPECT_EQ(one.told, std::vector<ssize_t>{5});
}

TEST_F(send_batch_test, keeps_what_it_was_given_when_the_giver_writes_over_it) {
  std::string mine = "given";
  leave(one, mine);
  leave(two, mine);
  mine = "other";
  batch.end();
  EXPECT_EQ(one.arrived(), "given");
  EXPECT_EQ(two.arrived(), "given");
}

TEST_F(send_batch_test, takes_nothing_when_it_is_not_the_time) {
  batch.end();
  EXPECT_FALSE(batch.leave(one.ends[0], "x", one));
  batch.begin();
  one.when_told = [&] { EXPECT_FALSE(batch.leave(two.ends[0], "x", two)); };
  leave(one, "x");
  batch.end();
  EXPECT_EQ(one.told.size(), 1u);
}

TEST_F(send_batch_test, takes_as_much_as_it_has_room_for) {
  const std::string piece(16 << 10, 'p');
  EXPECT_FALSE(batch.leave(one.ends[0], piece + "p", one));
  std::vector<std::unique_ptr<sending_pair>> pairs;
  const auto take_all = [&](std::string_view bytes) {
    pairs.clear();
    while (pairs.size() < 1000) {
      pairs.push_back(std::make_unique<sending_pair>());
      if (!batch.leave(pairs.back()->ends[0], bytes, *pairs.back())) break;
    }
    pairs.pop_back();
    batch.end();
    batch.begin();
    return pairs.size();
  };
  EXPECT_EQ(take_all(piece), 16u);
  for (const auto& each : pairs)
    EXPECT_EQ(each->arrived(), piece);
  EXPECT_EQ(take_all("small"), 256u);
  for (const auto& each : pairs)
    EXPECT_EQ(each->arrived(), "small");
  batch.end();
}

TEST_F(send_batch_test, tells_who_would_have_to_wait_and_sends_for_the_others) {
  two.fill();
  leave(one, "before");
  leave(two, "no room");
  leave(three, "behind");
  batch.end();
  EXPECT_EQ(one.arrived(), "before");
  EXPECT_EQ(two.told, std::vector<ssize_t>{-EAGAIN});
  EXPECT_EQ(three.arrived(), "behind");
}

TEST_F(send_batch_test, tells_whose_peer_has_gone) {
  ::close(std::exchange(two.ends[1], -1));
  leave(one, "before");
  leave(two, "nobody there");
  batch.end();
  EXPECT_EQ(one.arrived(), "before");
  EXPECT_EQ(two.told, std::vector<ssize_t>{-EPIPE});
}

// The kernel takes none that is behind one it refuses.
TEST_F(send_batch_test, sends_for_those_behind_one_that_the_kernel_refuses) {
  leave(one, "before");
  EXPECT_TRUE(batch.leave(-1, "nowhere", two));
  leave(three, "behind");
  batch.end();
  EXPECT_EQ(one.arrived(), "before");
  EXPECT_EQ(two.told, std::vector<ssize_t>{-EBADF});
  EXPECT_EQ(three.arrived(), "behind");
}

TEST_F(send_batch_test, does_not_send_what_was_forgotten) {
  leave(one, "first");
  leave(two, "second");
  leave(three, "third");
  batch.forget(two);
  batch.end();
  EXPECT_EQ(one.arrived(), "first");
  EXPECT_EQ(two.arrived(), "");
  EXPECT_TRUE(two.told.empty());
  EXPECT_EQ(three.arrived(), "third");
}

TEST_F(send_batch_test, does_not_send_what_is_not_wanted_any_more) {
  leave(one, "first");
  leave(two, "second");
  two.wants_to = false;
  batch.end();
  EXPECT_EQ(one.arrived(), "first");
  EXPECT_EQ(two.arrived(), "");
  EXPECT_EQ(two.told, std::vector<ssize_t>{-ECANCELED});
}

TEST_F(send_batch_test, sends_nothing_when_all_is_forgotten) {
  leave(one, "first");
  batch.forget(one);
  batch.end();
  EXPECT_EQ(one.arrived(), "");
  EXPECT_TRUE(one.told.empty());
}

TEST_F(send_batch_test, does_not_tell_who_was_forgotten_while_another_is_told) {
  one.when_told = [&] { batch.forget(two); };
  leave(one, "first");
  leave(two, "second");
  batch.end();
  EXPECT_EQ(two.arrived(), "second");
  EXPECT_TRUE(two.told.empty());
}

}  // namespace
}  // namespace onceward::net::detail
