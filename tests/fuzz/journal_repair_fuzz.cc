// Any bytes as a log: what opening refuses is found to be damaged, and repaired; what was repaired opens, is sound, and
// says of no key what nothing in the log said before. fuzzed_log.h says what the input is.

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/assert.h"
#include "fuzzed_log.h"
#include "stores/journal_check/repair.h"
#include "stores/journal_check/survey.h"
#include "stores/journal_check/verify.h"

namespace {

using namespace onceward;

// Every completed record that a log tells of, and its response.
using responses = std::multimap<record_key, std::string>;

responses responses_in(const crash::platter& log) {
  crash::simulated_disk disk(log);
  const auto mounted = disk.mount();
  responses found;
  const auto surveyed = journal::survey(*mounted, [&](const journal::surveyed_entry& each) {
    const auto* done = std::get_if<core::state_completed>(&each.found.kept.state);
    if (done == nullptr) return;
    found.emplace(each.found.key, done->response == nullptr ? std::string() : *done->response);
  });
  onceward_assert(surveyed.has_value());
  return found;
}

bool has(const responses& all, const responses::value_type& one) {
  const auto [begin, end] = all.equal_range(one.first);
  for (auto each = begin; each != end; ++each)
    if (each->second == one.second) return true;
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::span input(data, size);
  const crash::platter log = fuzz::log_of(input);
  crash::simulated_disk disk(log);
  const bool opens = fuzz::entries_in(disk).has_value();

  const auto mounted = disk.mount();
  const auto verified = journal::verify(*mounted, fuzz::now);
  onceward_assert(verified || verified.error().reason == errc::version || verified.error().reason == errc::not_found);
  if (!verified) return 0;
  onceward_assert(opens || !verified->is_sound());

  const responses before = responses_in(fuzz::is_blows(input) ? fuzz::sound_log() : log);
  const auto repaired = journal::repair(*mounted, fuzz::now, {});
  onceward_assert(repaired.has_value());
  using outcome = journal::repair_report::outcome;
  onceward_assert((repaired->what == outcome::was_sound) == verified->is_sound());
  const auto again = journal::verify(*mounted, fuzz::now);
  onceward_assert(again && again->is_sound());
  for (const auto& each : responses_in(disk.snapshot()))
    onceward_assert(has(before, each));
  onceward_assert(fuzz::states_in(disk, {}).has_value());
  return 0;
}
