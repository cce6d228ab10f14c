#include "tests/model/report.h"

namespace onceward::model {
namespace {

std::string count(std::uint64_t number, const char* what) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3)
    digits.insert(at - 3, ",");
  return digits + " " + what;
}

}  // namespace

std::string describe(const scenario& what) {
  std::string text = what.name + ": " + what.about + "\n  bounds: " + count(what.gateways, "gateways, ") +
                     count(what.callers.size(), "callers");
  if (what.replies_overtake) text += ", replies in any order";
  for (std::size_t i = 0; i < bounded_count; ++i) {
    if (what.at_most[i] != 0) text += ", " + count(what.at_most[i], to_string(static_cast<bounded>(i)));
  }
  return text;
}

std::string describe(const search_result& what, const world& in) {
  const world::tally counts = in.counts();
  std::string text = "  " + count(what.states, "distinct states, ") + count(what.steps, "steps, depth ") +
                     std::to_string(what.depth) + ", " + count(what.ends, "ends; ") +
                     count(counts.exchanges, "distinct exchanges, ") +
                     count(counts.exchange_steps, "events asked of them, ") +
                     count(counts.tables, "distinct record tables, ") + count(counts.table_steps, "commands asked\n");
  if (!what.complete && !what.found) text += "  NOT COMPLETE: more states than were allowed\n";
  if (!what.found) return text;
  text += "  BROKEN: " + std::string(what.found->broken.invariant) + ": " + what.found->broken.why + "\n";
  for (const std::string& line : what.found->story)
    text += "  " + line + "\n";
  return text;
}

}  // namespace onceward::model
