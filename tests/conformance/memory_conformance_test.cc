// The memory store under the conformance kit.

#include <memory>
#include <utility>

#include "settable_clock.h"
#include "store_under_test.h"
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

}  // namespace

std::vector<store_factory> stores_under_test() {
  return {{.name = "memory",
           .make =
               [](const requirements& wanted) {
                 memory_store::options chosen;
                 if (wanted.bytes_limit != 0) chosen.bytes_limit = wanted.bytes_limit;
                 return std::make_unique<memory_store_under_test>(chosen);
               },
           .bytes_limit_min = 1u << 20}};
}

}  // namespace onceward::conformance
