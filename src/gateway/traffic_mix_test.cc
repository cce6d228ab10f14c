#include "gateway/traffic_mix.h"

#include <gtest/gtest.h>

namespace onceward::gateway {
namespace {

class clients {
 public:
  void ask(std::uint64_t executions, std::uint64_t others) {
    executions_ += executions;
    answers_ += executions + others;
    mix_.note(answers_, executions_);
  }
  bool nearly_all_execute() const { return mix_.is_nearly_all_executions(); }

 private:
  traffic_mix mix_;
  std::uint64_t answers_ = 0;
  std::uint64_t executions_ = 0;
};

TEST(traffic_mix, knows_nothing_at_first) {
  clients some;
  EXPECT_FALSE(some.nearly_all_execute());
  some.ask(traffic_mix::looked_at - 1, 0);
  EXPECT_FALSE(some.nearly_all_execute());
  some.ask(1, 0);
  EXPECT_TRUE(some.nearly_all_execute());
}

TEST(traffic_mix, takes_nine_of_ten_for_nearly_all_and_not_fewer) {
  clients some;
  some.ask(90, 10);
  EXPECT_TRUE(some.nearly_all_execute());
  some.ask(89, 11);
  EXPECT_FALSE(some.nearly_all_execute());
}

TEST(traffic_mix, looks_at_the_latest_only) {
  clients some;
  some.ask(0, 10'000);
  EXPECT_FALSE(some.nearly_all_execute());
  for (std::uint64_t i = 0; i < traffic_mix::looked_at; ++i)
    some.ask(1, 0);
  EXPECT_TRUE(some.nearly_all_execute());
  for (std::uint64_t i = 0; i < traffic_mix::looked_at; ++i)
    some.ask(0, 1);
  EXPECT_FALSE(some.nearly_all_execute());
}

}  // namespace
}  // namespace onceward::gateway
