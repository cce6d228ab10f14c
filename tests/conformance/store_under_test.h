// What the store conformance kit needs of a store: how to make one, to set its clock, and to end it and open it again.
//
// A store joins the kit with one file that derives from store_under_test and defines stores_under_test(). A store is
// what passes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "onceward/store.h"

namespace onceward::conformance {

// What a test asks of the store that is made for it.
struct requirements {
  std::uint64_t bytes_limit = 0;             // 0: the store's own default.
  std::uint64_t body_bytes_max = 64u << 10;  // The longest response.
};

// What reopen() leaves of a claim in flight.
enum class claims_after_reopen {
  lost,       // Nothing at all is left: the store is not durable.
  unknown,    // The store had one owner, and that is gone.
  in_flight,  // The store is shared, and the lease decides.
};

class store_under_test {
 public:
  virtual ~store_under_test() = default;

  virtual store& get() = 0;

  // Moves the store's clock forward.
  virtual void advance(std::chrono::milliseconds by) = 0;
  virtual wall_time now() const = 0;

  virtual claims_after_reopen after_reopen() const = 0;

  // Ends the store and opens it again, as a process that restarts does. Called for durable stores only.
  virtual void reopen() = 0;
};

struct store_factory {
  std::string name;  // Letters and digits: it becomes part of the tests' names.
  std::function<std::unique_ptr<store_under_test>(const requirements&)> make;
  // The smallest bytes_limit that the store can work with; 0 where it has no limit but its disk.
  std::uint64_t bytes_limit_min = 0;
};

// Defined by the file that a store joins the kit with.
std::vector<store_factory> stores_under_test();

}  // namespace onceward::conformance
