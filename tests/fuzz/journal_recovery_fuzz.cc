// Any bytes as a log: recovery reads it or refuses it, without harm, and what it opened it opens again and says the
// same. fuzzed_log.h says what the input is; after blows to a sound log, whatever is read is what was written, up to
// some entry.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/assert.h"
#include "fuzzed_log.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace onceward;
  if (size < 1) return 0;
  const std::span input(data, size);
  crash::simulated_disk disk(fuzz::log_of(input));

  const auto entries = fuzz::entries_in(disk);
  if (entries && fuzz::is_blows(input)) {
    static const std::vector<std::string> sound = [] {
      crash::simulated_disk untouched(fuzz::sound_log());
      return *fuzz::entries_in(untouched);
    }();
    onceward_assert(entries->size() <= sound.size() && std::equal(entries->begin(), entries->end(), sound.begin()));
  }
  const auto keys = entries ? fuzz::keys_in(*entries) : std::vector<record_key>{};
  const auto first = fuzz::states_in(disk, keys);
  onceward_assert(first.has_value() == entries.has_value());
  if (!first) return 0;
  onceward_assert(fuzz::states_in(disk, keys) == first);
  return 0;
}
