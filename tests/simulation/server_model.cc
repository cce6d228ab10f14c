#include "tests/simulation/server_model.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace onceward::simulation {
namespace {

constexpr std::size_t purged_max = 1'000;

}  // namespace

reply server_model::decide(const command& what, wall_time now) {
  if (const auto* asked = std::get_if<claim>(&what)) return table_.apply(*asked, now, fence{++last_fence_}, true);
  if (const auto* asked = std::get_if<renew>(&what)) return table_.apply(*asked, now);
  if (const auto* asked = std::get_if<complete>(&what)) return table_.apply(*asked, now);
  if (const auto* asked = std::get_if<release>(&what)) return table_.apply(*asked, now);
  if (const auto* asked = std::get_if<find>(&what)) return table_.apply(*asked, now);
  if (const auto* asked = std::get_if<list_unknown>(&what)) {
    unknown_listed listed;
    table_.list_unknown(asked->after, asked->limit, now, listed.items);
    std::sort(listed.items.begin(), listed.items.end(),
              [](const auto& left, const auto& right) { return left.key < right.key; });
    if (listed.items.size() > asked->limit) listed.items.resize(asked->limit);
    return listed;
  }
  return purged{table_.expire(now, purged_max)};
}

}  // namespace onceward::simulation
