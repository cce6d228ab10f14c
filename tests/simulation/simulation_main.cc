// The simulator by hand:
//
//   onceward-sim [--scenario NAME] [--seeds FROM..TO] [--must-see]     runs many seeds and prints totals
//   onceward-sim --scenario NAME --seed N [--without-requests 3,5] [--without-faults 1,2]
//                                                                      runs one and prints its timeline
//
// Without --scenario it is all of them, with the seeds dealt out among them. Exit 1 when an invariant breaks or, with
// --must-see, when something did not happen that has to happen sometimes.
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/scenario.h"
#include "tests/simulation/shrink.h"

namespace {

using namespace onceward::simulation;

using seed_number = unsigned long long;

struct arguments {
  std::filesystem::path folder = ONCEWARD_SCENARIOS;
  std::string scenario;
  std::uint64_t from = 1;
  std::uint64_t to = 1'000;
  bool one = false;
  bool must_see = false;
  omissions without;
};

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::vector<unsigned>> numbers_in(std::string_view text) {
  std::vector<unsigned> numbers;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(','));
    const auto number = number_in(one);
    if (!number) return std::nullopt;
    numbers.push_back(static_cast<unsigned>(*number));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
  }
  return numbers;
}

bool take(arguments& into, std::string_view name, std::string_view value) {
  if (name == "--scenarios") into.folder = value;
  if (name == "--scenario") into.scenario = value;
  if (name == "--scenarios" || name == "--scenario") return true;
  if (name == "--seed") {
    const auto seed = number_in(value);
    into.one = true;
    into.from = into.to = seed.value_or(0);
    return seed.has_value();
  }
  if (name == "--seeds") {
    const std::size_t dots = value.find("..");
    if (dots == std::string_view::npos) return false;
    const auto from = number_in(value.substr(0, dots));
    const auto to = number_in(value.substr(dots + 2));
    into.from = from.value_or(0);
    into.to = to.value_or(0);
    return from && to && *from <= *to;
  }
  const auto numbers = numbers_in(value);
  if (name == "--without-requests") into.without.requests = numbers.value_or(std::vector<unsigned>{});
  if (name == "--without-faults") into.without.faults = numbers.value_or(std::vector<unsigned>{});
  return numbers && (name == "--without-requests" || name == "--without-faults");
}

std::optional<arguments> read(int count, char** values) {
  arguments read;
  for (int i = 1; i < count; ++i) {
    if (std::string_view(values[i]) == "--must-see") {
      read.must_see = true;
      continue;
    }
    if (i + 1 == count || !take(read, values[i], values[i + 1])) return std::nullopt;
    ++i;
  }
  if (read.one && read.scenario.empty()) return std::nullopt;
  return read;
}

void print(const run_result& result) {
  for (const std::string& each : result.lines)
    std::printf("%s\n", each.c_str());
  if (result.found) std::printf("BROKEN: %s: %s\n", result.found->invariant.c_str(), result.found->why.c_str());
  std::printf("digest %016llx\n", static_cast<seed_number>(result.digest));
}

void explain(surroundings& around, std::uint64_t seed, const run_result& broken) {
  const omissions less = shrink(around, seed, *broken.found, {});
  print(run_seed(around, seed, less, true));
  std::printf("seed %llu breaks %s. Again: onceward-sim --scenario %s --seed %llu", static_cast<seed_number>(seed),
              broken.found->invariant.c_str(), around.about.name.c_str(), static_cast<seed_number>(seed));
  if (!less.requests.empty()) std::printf(" --without-requests %s", to_text(less.requests).c_str());
  if (!less.faults.empty()) std::printf(" --without-faults %s", to_text(less.faults).c_str());
  std::printf("\n\n");
}

struct totals {
  std::uint64_t seeds = 0;
  std::uint64_t broken = 0;
  std::uint64_t digest = 0;
  sometimes_counts seen;
};

constexpr std::uint64_t explained_max = 3;

totals run_many(const scenario& about, const arguments& asked, std::uint64_t step, std::uint64_t offset) {
  surroundings around(about);
  totals sum;
  for (std::uint64_t seed = asked.from + offset; seed <= asked.to; seed += step) {
    const run_result result = run_seed(around, seed, asked.without, false);
    ++sum.seeds;
    sum.digest = (sum.digest ^ result.digest) * 0x9fb21c651e98df25u;
    sum.seen.add(result.seen);
    if (result.found && ++sum.broken <= explained_max) explain(around, seed, result);
  }
  return sum;
}

// Says what did not happen.
bool saw_all(const scenario& about, const totals& sum) {
  bool all = true;
  for (const sometimes each : about.must_see) {
    if (sum.seen.of(each) > 0) continue;
    std::printf("%s: it never happened that %s\n", about.name.c_str(), std::string(to_string(each)).c_str());
    all = false;
  }
  return all;
}

void print_seen(const sometimes_counts& seen) {
  std::printf("\nsometimes, in how many places of all runs:\n");
  for (std::size_t i = 0; i < sometimes_count; ++i) {
    const auto what = static_cast<sometimes>(i);
    std::printf("  %-36s %llu\n", std::string(to_string(what)).c_str(), static_cast<seed_number>(seen.of(what)));
  }
}

int run_all(const std::vector<scenario>& wanted, const arguments& asked) {
  totals all;
  bool complete = true;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto begun = std::chrono::steady_clock::now();
    const totals sum = run_many(wanted[i], asked, wanted.size(), i);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    std::printf("%-20s %9llu seeds, %llu broken, digest %016llx, %.2f ms each\n", wanted[i].name.c_str(),
                static_cast<seed_number>(sum.seeds), static_cast<seed_number>(sum.broken),
                static_cast<seed_number>(sum.digest),
                1e3 * took.count() / static_cast<double>(std::max<std::uint64_t>(sum.seeds, 1)));
    std::fflush(stdout);
    if (asked.must_see) complete = saw_all(wanted[i], sum) && complete;
    all.seeds += sum.seeds;
    all.broken += sum.broken;
    all.seen.add(sum.seen);
  }
  print_seen(all.seen);
  if (asked.must_see && wanted.size() > 1) {
    for (std::size_t i = 0; i < sometimes_count; ++i)
      complete = complete && all.seen.of(static_cast<sometimes>(i)) > 0;
  }
  std::printf("\n%llu seeds, %llu broken%s\n", static_cast<seed_number>(all.seeds),
              static_cast<seed_number>(all.broken), complete ? "" : ", and something never happened");
  return all.broken == 0 && complete ? 0 : 1;
}

}  // namespace

int main(int count, char** values) {
  const std::optional<arguments> asked = read(count, values);
  if (!asked) {
    std::fputs(
        "usage: onceward-sim [--scenario NAME] [--seeds FROM..TO] [--must-see]\n"
        "       onceward-sim --scenario NAME --seed N [--without-requests LIST] [--without-faults LIST]\n"
        "both: [--scenarios FOLDER]\n",
        stderr);
    return 2;
  }
  const auto all = read_scenarios(asked->folder);
  if (!all) {
    std::fprintf(stderr, "onceward-sim: %s\n", all.error().c_str());
    return 2;
  }
  std::vector<scenario> wanted;
  for (const scenario& each : *all) {
    if (asked->scenario.empty() || each.name == asked->scenario) wanted.push_back(each);
  }
  if (wanted.empty()) {
    std::fprintf(stderr, "onceward-sim: there is no scenario %s\n", asked->scenario.c_str());
    return 2;
  }
  if (!asked->one) return run_all(wanted, *asked);
  surroundings around(wanted.front());
  const run_result result = run_seed(around, asked->from, asked->without, true);
  print(result);
  return result.found ? 1 : 0;
}
