#include "store_filler.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "waiting_sink.h"

namespace onceward::bench {

void fill(store& into, const fill_plan& plan, const record_names& names) {
  const auto fingerprint = std::make_shared<const std::string>(plan.fingerprint_bytes, 'f');
  const auto response = std::make_shared<const std::string>(plan.response_bytes, 'r');
  const auto tombstone = std::make_shared<const std::string>(plan.tombstone_bytes, 't');
  waiting_sink sink;
  for (std::uint64_t begin = 0; begin < plan.records; begin += plan.outstanding_max) {
    const std::uint64_t end = std::min<std::uint64_t>(begin + plan.outstanding_max, plan.records);
    std::vector<command> claims;
    std::vector<command> outcomes;
    for (std::uint64_t index = begin; index < end; ++index) {
      const auto [key, attempt] = names(index);
      claims.emplace_back(claim{key, attempt, std::chrono::seconds(30), plan.retention, fingerprint});
      outcomes.emplace_back(
          complete{key, attempt, outcome_completed{response, tombstone, plan.retention, plan.retention}});
    }
    if (!sink.submit_and_wait(into, std::move(claims)) || !sink.submit_and_wait(into, std::move(outcomes))) {
      throw std::runtime_error("the store refuses records between number " + std::to_string(begin) + " and " +
                               std::to_string(end) + ": is it full, or are they there already?");
    }
  }
}

}  // namespace onceward::bench
