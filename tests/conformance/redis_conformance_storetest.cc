// The Redis store under the conformance kit, against the server in ONCEWARD_REDIS_URL, which is the test's own, and
// whose clock is in the file of ONCEWARD_SERVER_CLOCK.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "redis_server.h"
#include "settable_clock.h"
#include "store_under_test.h"
#include "stores/redis/redis_store.h"

namespace onceward::conformance {
namespace {

// The kit sees what the store counted last; here it is always what is there now.
class counted_store final : public store {
 public:
  explicit counted_store(redis::redis_store& inner) : inner_(inner) {}
  void submit(command what, reply_sink& sink, std::uint64_t tag) override { inner_.submit(std::move(what), sink, tag); }
  store_statistics statistics() const override {
    inner_.count();
    return inner_.statistics();
  }

 private:
  redis::redis_store& inner_;
};

class redis_under_test final : public store_under_test {
 public:
  redis_under_test() {
    set_clock();
    empty_redis();
    open();
  }
  // The last replies come while it ends.
  ~redis_under_test() override { opened_.reset(); }

  store& get() override { return *shown_; }
  void advance(std::chrono::milliseconds by) override {
    clock_.advance(by);
    set_clock();
  }
  wall_time now() const override { return clock_.now(); }
  claims_after_reopen after_reopen() const override { return claims_after_reopen::in_flight; }
  void reopen() override {
    opened_.reset();
    open();
  }

 private:
  void set_clock() { set_redis_clock(clock_.now()); }

  void open() {
    opened_ = open_redis({});
    shown_ = std::make_unique<counted_store>(*opened_);
  }

  settable_clock clock_;
  std::unique_ptr<redis::redis_store> opened_;
  std::unique_ptr<counted_store> shown_;
};

}  // namespace

std::vector<store_factory> stores_under_test() {
  return {{.name = "redis", .make = [](const requirements&) { return std::make_unique<redis_under_test>(); }}};
}

}  // namespace onceward::conformance
