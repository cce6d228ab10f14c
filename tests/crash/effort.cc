#include "effort.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

namespace onceward::crash {
namespace {

std::uint64_t number_in(const char* variable) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
}

std::uint64_t images = 0;

class image_report final : public testing::Environment {
  void TearDown() override {
    if (images > 0) std::printf("%llu disk images judged\n", static_cast<unsigned long long>(images));
  }
};
[[maybe_unused]] const auto* const report = testing::AddGlobalTestEnvironment(new image_report);

}  // namespace

std::uint64_t effort() {
  const std::uint64_t wanted = number_in("ONCEWARD_CRASH_EFFORT");
  return wanted == 0 ? 1 : wanted;
}

std::vector<std::uint64_t> seeds(std::uint64_t count) {
  if (const std::uint64_t only = number_in("ONCEWARD_CRASH_SEED"); only != 0) return {only};
  std::vector<std::uint64_t> all;
  for (std::uint64_t seed = 1; seed <= count * effort(); ++seed)
    all.push_back(seed);
  return all;
}

void note_image() {
  ++images;
}

}  // namespace onceward::crash
