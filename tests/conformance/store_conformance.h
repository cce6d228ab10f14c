// The fixture of the store conformance kit: a store under test, a sink, and commands that differ only in what a test is
// about.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collecting_sink.h"
#include "onceward/store.h"
#include "reply_text.h"
#include "sample_commands.h"
#include "store_under_test.h"

namespace onceward::conformance {

class store_conformance : public testing::TestWithParam<store_factory> {
 protected:
  void SetUp() override { make({}); }
  // Whatever a test did, each command had one reply, through its sink.
  void TearDown() override;

  void make(const requirements& wanted);
  // Ends the store under test for good.
  void end() { under_test_.reset(); }
  store& stored() { return under_test_->get(); }
  store_under_test& under_test() { return *under_test_; }
  bool durable() const { return under_test_->after_reopen() != claims_after_reopen::lost; }
  void advance(milliseconds by) { under_test_->advance(by); }
  collecting_sink& sink() { return *sink_; }

  reply ask(command what) { return sink_->ask(stored(), std::move(what)); }
  std::string ask_kind(command what) { return kind_of(ask(std::move(what))); }
  std::string ask_text(command what) { return to_text(ask(std::move(what))); }
  std::string state_of(std::uint64_t key) { return ask_text(find{key_of(key)}); }

  // Asks for something that must be answered with a Reply.
  template <typename Reply>
  Reply expect(command what) {
    const reply answer = ask(std::move(what));
    const Reply* wanted = std::get_if<Reply>(&answer);
    EXPECT_NE(wanted, nullptr) << "got " << to_text(answer);
    return wanted == nullptr ? Reply{} : *wanted;
  }

  // Fills the store with completed records of `body_bytes` until a claim is refused. Returns the keys that were
  // completed, which begin at `first`.
  std::vector<std::uint64_t> fill(std::uint64_t first, std::size_t body_bytes);

 private:
  std::unique_ptr<collecting_sink> sink_;
  std::unique_ptr<store_under_test> under_test_;  // Ends before its sink.
};

inline std::string name_of_store(const testing::TestParamInfo<store_factory>& tested) {
  return tested.param.name;
}

}  // namespace onceward::conformance
