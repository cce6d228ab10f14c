#include "stores/journal/commit_policy.h"

#include <algorithm>

namespace onceward::journal {
namespace {

// How many groups an average remembers.
constexpr int remembered = 32;

// A group that took longer counts as this long, or it would be remembered for ever.
constexpr std::chrono::nanoseconds took_max = 10 * remembered * commit_policy::quick;

constexpr int always = 1'024;

}  // namespace

void commit_policy::note(std::chrono::nanoseconds took, bool crowded) {
  if (chosen_ != idle_commits::where_it_pays) return;
  took_ += (std::min(took, took_max) - took_) / remembered;
  crowded_ += ((crowded ? always : 0) - crowded_) / remembered;
  idle_thread_commits_.store(took_ <= quick && crowded_ <= always / 2, std::memory_order_relaxed);
}

}  // namespace onceward::journal
