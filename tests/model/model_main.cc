// The model checker by hand:
//
//   onceward_model [--size test|short|long] [--states N] [SCENARIO ...]
//
// Exit 1 when an invariant breaks, or when a scenario has more states than are allowed. The long form stops there, says
// so and is content.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/model/report.h"
#include "tests/model/search.h"

namespace {

using namespace onceward::model;

std::optional<size> size_named(std::string_view name) {
  if (name == "test") return size::test;
  if (name == "short") return size::short_form;
  if (name == "long") return size::long_form;
  return std::nullopt;
}

struct arguments {
  size how_large = size::short_form;
  std::uint64_t states_max = 20'000'000;  // Of each scenario.
  std::vector<std::string> wanted;        // All, where it is empty.
};

std::optional<arguments> read(int count, char** values) {
  arguments read;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = values[i];
    const char* value = i + 1 < count ? values[i + 1] : "";
    if (argument == "--size" && size_named(value)) {
      read.how_large = *size_named(value);
      ++i;
    } else if (argument == "--states" && std::strtoull(value, nullptr, 10) > 0) {
      read.states_max = std::strtoull(value, nullptr, 10);
      ++i;
    } else if (const auto all = scenarios(size::test);
               std::any_of(all.begin(), all.end(), [&](const auto& each) { return each.name == argument; })) {
      read.wanted.emplace_back(argument);
    } else {
      return std::nullopt;
    }
  }
  return read;
}

}  // namespace

int main(int count, char** values) {
  const std::optional<arguments> asked = read(count, values);
  if (!asked) {
    std::fputs("usage: onceward_model [--size test|short|long] [--states N] [SCENARIO ...]\n", stderr);
    return 2;
  }
  bool sound = true;
  std::uint64_t total = 0;
  for (const scenario& each : scenarios(asked->how_large)) {
    const auto& wanted = asked->wanted;
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), each.name) == wanted.end()) continue;
    std::printf("%s\n", describe(each).c_str());
    std::fflush(stdout);
    world in(each);
    const auto begun = std::chrono::steady_clock::now();
    const search_result found = search(in, {.states_max = asked->states_max});
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    std::printf("%s  %.1f s\n\n", describe(found, in).c_str(), took.count());
    std::fflush(stdout);
    sound = sound && !found.found && (found.complete || asked->how_large == size::long_form);
    total += found.states;
  }
  std::printf("%llu distinct states in all, %s\n", static_cast<unsigned long long>(total),
              sound ? "no promise broken" : "NOT PROVEN");
  return sound ? 0 : 1;
}
