// The store beside the simulator's model of a server: the same random commands at the same times, the same replies. So
// what the simulator finds with the model holds for the store.

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <variant>

#include "effort.h"
#include "random_commands.h"
#include "store_conformance.h"
#include "tests/simulation/server_model.h"

namespace onceward::conformance {
namespace {

constexpr std::uint64_t keys = 12;
constexpr std::size_t body_bytes_max = 20'000;
constexpr int commands = 400;

// Of the two, only the order has to be the same: a store may draw a fence for a claim that it does not grant.
class fences {
 public:
  // Puts the model's fence in the place of the store's.
  void rename(reply& of_store, const reply& of_model) {
    fence* const stored = fence_in(of_store);
    const fence* const modelled = fence_in(const_cast<reply&>(of_model));
    if (stored == nullptr || modelled == nullptr) return;
    const auto [place, is_new] = known_.try_emplace(*stored, *modelled);
    if (is_new && place != known_.begin()) {
      EXPECT_LT(std::prev(place)->second, *modelled) << "fences rise";
    }
    *stored = place->second;
  }
  void rename(unknown_listed& of_store) {
    for (unknown_listed::item& each : of_store.items) {
      if (const auto found = known_.find(each.summary.token); found != known_.end()) each.summary.token = found->second;
    }
  }

 private:
  static fence* fence_in(reply& value) {
    return std::visit(
        [](auto& each) -> fence* {
          if constexpr (requires { each.token; }) return &each.token;
          if constexpr (requires { each.summary; }) return &each.summary.token;
          return nullptr;
        },
        value);
  }

  std::map<fence, fence> known_;  // The store's, the model's.
};

void expect_the_same(store_under_test& tested, collecting_sink& sink, std::uint64_t seed) {
  crash::random_commands random(seed, keys, body_bytes_max);
  simulation::server_model model;
  fences renamed;
  for (int number = 0; number < commands; ++number) {
    if (const auto pause = random.pause(); pause.count() > 0) tested.advance(pause);
    const command what = random.next();
    reply of_store = sink.ask(tested.get(), what);
    const reply of_model = model.decide(what, tested.now());
    // When what has expired is deleted is everybody's own affair.
    if (std::holds_alternative<purge>(what)) continue;
    if (auto* listed = std::get_if<unknown_listed>(&of_store)) renamed.rename(*listed);
    renamed.rename(of_store, of_model);
    ASSERT_EQ(to_text(of_store), to_text(of_model)) << "command " << number << " of seed " << seed;
  }
}

TEST_P(store_conformance, says_what_the_simulator_s_model_of_it_says) {
  for (const std::uint64_t seed : crash::seeds(3)) {
    make({});
    ASSERT_NO_FATAL_FAILURE(expect_the_same(under_test(), sink(), seed));
  }
}

}  // namespace
}  // namespace onceward::conformance
