// The model checker by hand: onceward_model [--size test|short|long] [--states N] [SCENARIO ...]
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tests/model/report.h"
#include "tests/model/search.h"

int main(int count, char** values) {
  using namespace onceward::model;
  size how_large = size::short_form;
  std::uint64_t states_max = 20'000'000;
  bool circles = false;
  std::vector<std::string> wanted;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = values[i];
    if (argument == "--size" && i + 1 < count) {
      const std::string_view name = values[++i];
      how_large = name == "test" ? size::test : name == "long" ? size::long_form : size::short_form;
    } else if (argument == "--states" && i + 1 < count) {
      states_max = std::strtoull(values[++i], nullptr, 10);
    } else if (argument == "--circles") {
      circles = true;
    } else {
      wanted.emplace_back(argument);
    }
  }
  bool sound = true;
  std::uint64_t total = 0;
  for (scenario& each : scenarios(how_large)) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), each.name) == wanted.end()) continue;
    std::printf("%s\n", describe(each).c_str());
    std::fflush(stdout);
    world in(each);
    const auto begun = std::chrono::steady_clock::now();
    const search_result found = search(in, {.states_max = states_max, .looks_for_circles = circles});
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    std::printf("%s  %.1f s\n\n", describe(found, in).c_str(), took.count());
    std::fflush(stdout);
    sound = sound && found.complete && !found.found;
    total += found.states;
  }
  std::printf("%llu distinct states in all\n", static_cast<unsigned long long>(total));
  return sound ? 0 : 1;
}
