// What a run of the model checker explores: the rules of the route, who takes part, and how much may go wrong.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/policy.h"

namespace onceward::model {

// What may happen only so often in one run. Whatever is not listed here may happen at any time, as often as it can.
enum class bounded : std::uint8_t {
  ticks,            // Time passes although something else could happen first.
  crashes,          // A gateway is killed and starts again, empty.
  store_faults,     // A command lost, late or doubled; a reply lost; a refusal.
  slow_replies,     // A reply that others overtake. Without bound where `replies_overtake`.
  upstream_faults,  // A connection lost, refused or too slow; 503, 504; a status URL that cannot tell.
  retries,          // A caller that sends again: its connection broke, or its answer was lost, or it wants to.
  client_faults,    // A client that leaves, or finds the waiting room full.
  clock_jumps,      // Of the store's clock, forwards or backwards.
  drains,
  resolutions,  // By an operator.
};
constexpr std::size_t bounded_count = 10;
const char* to_string(bounded what);

enum class store_kind : std::uint8_t {
  shared,    // Outlives the gateways; leases decide.
  embedded,  // Has one owner: what a killed one leaves in flight is unknown when it is opened again.
};

// A request that callers send, retries included: kinds differ in scope, key or body.
struct request_kind {
  std::string credential;
  std::string idempotency_key;
  std::string body;
};

struct scenario {
  std::string name;
  std::string about;
  core::policy rules;
  store_kind store = store_kind::shared;
  unsigned gateways = 2;
  std::vector<request_kind> kinds;
  std::vector<unsigned> callers;  // The kind of request that each sends.
  bool replies_overtake = false;  // Replies of the store come whenever they will.
  std::array<unsigned, bounded_count> at_most{};

  unsigned limit(bounded what) const { return at_most[static_cast<std::size_t>(what)]; }
};

// `test`: seconds in a build with sanitizers. `short_form`: a minute in an optimised one. `long_form`: an hour.
enum class size : std::uint8_t { test, short_form, long_form };

std::vector<scenario> scenarios(size how_large);

}  // namespace onceward::model
