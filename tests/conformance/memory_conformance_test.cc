// The memory store under the conformance kit, by itself and behind what guards shared stores.

#include <memory>
#include <utility>

#include "settable_clock.h"
#include "store_under_test.h"
#include "stores/failover/guarded_store.h"
#include "stores/memory/memory_store.h"

namespace onceward::conformance {
namespace {

class memory_store_under_test final : public store_under_test {
 public:
  explicit memory_store_under_test(const memory_store::options& chosen)
      : stored_(chosen, [this] { return clock_.now(); }) {}

  store& get() override { return stored_; }
  void advance(std::chrono::milliseconds by) override { clock_.advance(by); }
  wall_time now() const override { return clock_.now(); }
  claims_after_reopen after_reopen() const override { return claims_after_reopen::lost; }
  void reopen() override {}

 private:
  settable_clock clock_;
  memory_store::memory_store stored_;
};

class guarded_store_under_test final : public store_under_test {
 public:
  explicit guarded_store_under_test(const memory_store::options& chosen) {
    guarded_.guard(std::make_unique<memory_store::memory_store>(chosen, [this] { return clock_.now(); }));
  }

  store& get() override { return guarded_; }
  void advance(std::chrono::milliseconds by) override { clock_.advance(by); }
  wall_time now() const override { return clock_.now(); }
  claims_after_reopen after_reopen() const override { return claims_after_reopen::lost; }
  void reopen() override {}

 private:
  settable_clock clock_;
  failover::guarded_store guarded_{
      {.now = [this] { return base::moment{clock_.now().time_since_epoch()}; }, .tell_lost = {}}};
};

memory_store::options limited(const requirements& wanted) {
  memory_store::options chosen;
  if (wanted.bytes_limit != 0) chosen.bytes_limit = wanted.bytes_limit;
  return chosen;
}

}  // namespace

std::vector<store_factory> stores_under_test() {
  return {
      {.name = "memory",
       .make = [](const requirements& wanted) { return std::make_unique<memory_store_under_test>(limited(wanted)); },
       .bytes_limit_min = 1u << 20},
      {.name = "guarded",
       .make = [](const requirements& wanted) { return std::make_unique<guarded_store_under_test>(limited(wanted)); },
       .bytes_limit_min = 1u << 20}};
}

}  // namespace onceward::conformance
