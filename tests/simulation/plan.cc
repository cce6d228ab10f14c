#include "tests/simulation/plan.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "tests/simulation/dice.h"

namespace onceward::simulation {

std::string_view to_string(fault_kind what) {
  switch (what) {
    case fault_kind::kill:
      return "kill";
    case fault_kind::power_cut:
      return "power cut";
    case fault_kind::stop:
      return "stop";
    case fault_kind::drain:
      return "drain";
    case fault_kind::connection_cut:
      return "connection cut";
    case fault_kind::upstream_outage:
      return "upstream outage";
    case fault_kind::idle_end:
      return "idle connections end";
    case fault_kind::disk_error:
      return "disk error";
    case fault_kind::clock_jump:
      return "clock jump";
    case fault_kind::store_outage:
      return "store outage";
    case fault_kind::failover:
      return "failover";
    case fault_kind::resolution:
      return "operator";
  }
  return "";
}

namespace {

base::moment some_time(const scenario& about, dice& random) {
  return base::moment(std::chrono::milliseconds(random.between(0, about.duration.count())));
}

}  // namespace

plan make_plan(const scenario& about, std::uint64_t seed) {
  plan made;
  dice requests(seed, {5});
  for (unsigned number = 1; number <= about.requests; ++number) {
    base::moment at = some_time(about, requests);
    // Many come right behind another.
    if (number > 1 && requests.chance(0.4))
      at = made.requests.back().at + std::chrono::milliseconds(requests.between(0, 60));
    const unsigned key = static_cast<unsigned>(requests.below(about.keys));
    const unsigned scope = requests.chance(about.same_scope) ? 0 : 1;
    const unsigned body = requests.chance(about.same_body) ? 0 : 1;
    made.requests.push_back({number, at, scope, key, body, requests.chance(about.leaves)});
  }

  dice faults(seed, {6});
  const std::pair<double, fault_kind> kinds[] = {{about.kills, fault_kind::kill},
                                                 {about.power_cuts, fault_kind::power_cut},
                                                 {about.stops, fault_kind::stop},
                                                 {about.drains, fault_kind::drain},
                                                 {about.connection_cuts, fault_kind::connection_cut},
                                                 {about.upstream_outages, fault_kind::upstream_outage},
                                                 {about.upstream_outages, fault_kind::idle_end},
                                                 {about.disk_errors, fault_kind::disk_error},
                                                 {about.clock_jumps, fault_kind::clock_jump},
                                                 {about.store_outages, fault_kind::store_outage},
                                                 {about.failovers, fault_kind::failover},
                                                 {about.resolutions, fault_kind::resolution}};
  for (const auto& [rate, what] : kinds) {
    // On the average `rate`, at most twice as many and one.
    const auto most = static_cast<std::uint64_t>(std::floor(2 * rate)) + 1;
    std::uint64_t count = 0;
    for (std::uint64_t i = 0; i < most; ++i)
      if (faults.chance(rate / static_cast<double>(most))) ++count;
    for (std::uint64_t i = 0; i < count; ++i)
      made.faults.push_back({0, some_time(about, faults), what, faults.next()});
  }
  for (unsigned i = 0; i < made.faults.size(); ++i)
    made.faults[i].number = i + 1;
  return made;
}

plan without(plan whole, const omissions& what) {
  const auto is_in = [](const std::vector<unsigned>& list, unsigned number) {
    return std::find(list.begin(), list.end(), number) != list.end();
  };
  std::erase_if(whole.requests, [&](const auto& each) { return is_in(what.requests, each.number); });
  std::erase_if(whole.faults, [&](const auto& each) { return is_in(what.faults, each.number); });
  return whole;
}

std::string to_text(const std::vector<unsigned>& numbers) {
  std::string text;
  for (const unsigned each : numbers)
    text += (text.empty() ? "" : ",") + std::to_string(each);
  return text;
}

}  // namespace onceward::simulation
