// Who commits: a thread that has gathered and is idle, or the committer.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>

#include "collecting_sink.h"
#include "journal_rig.h"
#include "reply_text.h"
#include "sample_commands.h"

namespace onceward::crash {
namespace {

using conformance::claim_of;
using conformance::collecting_sink;
using conformance::kind_of;
using journal::idle_commits;

class idle_thread : public testing::Test {
 protected:
  void open(idle_commits chosen) {
    journal::options options = small_journal();
    options.by_idle_threads = chosen;
    options.on_failure = [this](const std::string&) { failed_on_ = std::this_thread::get_id(); };
    auto opened = journal::journal::open(disk_.mount(), options,
                                         [] { return wall_time{std::chrono::milliseconds{1'767'225'600'000}}; });
    ASSERT_TRUE(opened) << opened.error().message;
    opened_ = *std::move(opened);
  }
  void TearDown() override { disk_.hold_syncs(false); }

  void expect_that_no_sync_is_waited_for(caller is) {
    disk_.hold_syncs(true);
    const std::uint64_t claimed = sink_.gather(*opened_, claim_of(1, 11));
    opened_->flush(is);
    disk_.wait_for_held_sync();
    EXPECT_EQ(sink_.answered(), 0u);
    disk_.hold_syncs(false);
    EXPECT_EQ(kind_of(sink_.wait(claimed)), "claim_granted");
  }

  simulated_disk disk_;
  std::atomic<std::thread::id> failed_on_;
  collecting_sink sink_;
  std::unique_ptr<journal::journal> opened_;
};

TEST_F(idle_thread, that_commits_has_its_answer_when_the_flush_is_done) {
  open(idle_commits::always);
  disk_.hold_syncs(true);
  std::atomic<bool> is_done = false;
  std::thread idle([&] {
    sink_.gather(*opened_, claim_of(1, 11));
    opened_->flush(caller::idle);
    EXPECT_EQ(sink_.answered(), 1u);
    is_done = true;
  });
  disk_.wait_for_held_sync();
  EXPECT_FALSE(is_done);
  disk_.hold_syncs(false);
  idle.join();
}

TEST_F(idle_thread, that_is_not_to_commit_waits_for_no_sync) {
  open(idle_commits::never);
  expect_that_no_sync_is_waited_for(caller::idle);
}

TEST_F(idle_thread, waits_for_no_sync_where_it_is_busy_after_all) {
  open(idle_commits::always);
  expect_that_no_sync_is_waited_for(caller::busy);
}

TEST_F(idle_thread, leaves_it_to_the_committer_while_another_commits) {
  open(idle_commits::always);
  disk_.hold_syncs(true);
  std::thread first([&] {
    collecting_sink own;
    const std::uint64_t claimed = own.gather(*opened_, claim_of(1, 11));
    opened_->flush(caller::idle);
    EXPECT_EQ(kind_of(own.wait(claimed)), "claim_granted");
  });
  disk_.wait_for_held_sync();
  const std::uint64_t claimed = sink_.gather(*opened_, claim_of(2, 21));
  opened_->flush(caller::idle);
  EXPECT_EQ(sink_.answered(), 0u);
  disk_.hold_syncs(false);
  EXPECT_EQ(kind_of(sink_.wait(claimed)), "claim_granted");
  first.join();
}

TEST_F(idle_thread, commits_what_others_have_gathered_too) {
  open(idle_commits::always);
  collecting_sink others;
  std::thread([&] { others.gather(*opened_, claim_of(1, 11)); }).join();
  EXPECT_EQ(others.answered(), 0u);
  sink_.gather(*opened_, claim_of(2, 21));
  opened_->flush(caller::idle);
  EXPECT_EQ(others.answered(), 1u);
}

TEST_F(idle_thread, that_finds_the_disk_failing_ends_the_journal) {
  open(idle_commits::always);
  disk_.fail_call(disk_.calls(), {errc::io, 5}, false);
  const std::uint64_t claimed = sink_.gather(*opened_, claim_of(1, 11));
  opened_->flush(caller::idle);
  EXPECT_EQ(kind_of(sink_.wait(claimed)), "store_failure");
  EXPECT_EQ(failed_on_.load(), std::this_thread::get_id());
  EXPECT_EQ(kind_of(sink_.ask(*opened_, claim_of(2, 21))), "store_failure");
}

// Which thread its replies come from.
class thread_noting_sink final : public reply_sink {
 public:
  void deliver(std::span<tagged_reply>) override { from_ = std::this_thread::get_id(); }
  void wait() const {
    while (from_.load() == std::thread::id{})
      std::this_thread::yield();
  }
  bool is_from_this_thread() const { return from_.load() == std::this_thread::get_id(); }

 private:
  std::atomic<std::thread::id> from_;
};

TEST_F(idle_thread, commits_by_itself_before_long_where_that_pays) {
  open(idle_commits::where_it_pays);
  bool has_committed = false;
  for (std::uint64_t number = 1; number <= 10'000 && !has_committed; ++number) {
    thread_noting_sink own;
    opened_->gather(claim_of(number % 250, number), own, 0);
    opened_->flush(caller::idle);
    own.wait();
    has_committed = own.is_from_this_thread() && number > 1;
  }
  EXPECT_TRUE(has_committed);
}

}  // namespace
}  // namespace onceward::crash
