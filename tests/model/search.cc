#include "tests/model/search.h"

#include <algorithm>
#include <utility>

#include "tests/model/fingerprint_set.h"
#include "tests/model/state_queue.h"

namespace onceward::model {
namespace {

using place = fingerprint_set::place;

digest digest_of_state(const state& of, std::byte* packed, std::size_t& size) {
  size = pack(of, packed);
  return digest_of(packed, size);
}

class searching final : public successor_sink {
 public:
  searching(world& in, const search_limits& limits) : world_(in), limits_(limits), seen_(limits.states_max) {}

  search_result run();
  void take(const state& next, const finding* broken, const std::vector<std::string>& story) override;

 private:
  void expand();
  counterexample tell(place from, const finding& broken);
  bool goes_round() const;

  world& world_;
  const search_limits& limits_;
  fingerprint_set seen_;
  state_queue open_;
  search_result result_;
  place here_ = fingerprint_set::nowhere;
  std::optional<finding> broken_;
  place broken_from_ = fingerprint_set::nowhere;
  std::vector<std::pair<place, place>> steps_;
};

// Follows one chain of digests from the start, and keeps the story of each step.
class storyteller final : public successor_sink {
 public:
  explicit storyteller(world& in) : world_(in) {}

  std::vector<std::string> tell(const std::vector<digest>& chain, const finding& broken);
  void take(const state& next, const finding* broken, const std::vector<std::string>& story) override;

 private:
  void add(const std::vector<std::string>& story);

  world& world_;
  std::optional<digest> wanted_;
  const finding* last_ = nullptr;
  std::optional<state> found_;
  std::vector<std::string> lines_;
  unsigned number_ = 0;
};

void storyteller::take(const state& next, const finding* broken, const std::vector<std::string>& story) {
  if (found_) return;
  std::byte packed[packed_bytes_max];
  std::size_t size = 0;
  const bool is_it = wanted_ ? digest_of_state(next, packed, size) == *wanted_
                             : broken != nullptr && last_->why == broken->why && last_->invariant == broken->invariant;
  if (!is_it) return;
  found_ = next;
  add(story);
}

void storyteller::add(const std::vector<std::string>& story) {
  ++number_;
  for (std::size_t i = 0; i < story.size(); ++i) {
    const std::string mark = i == 0 ? std::to_string(number_) + ". " : "   ";
    lines_.push_back((mark.size() < 4 ? std::string(4 - mark.size(), ' ') : "") + mark + story[i]);
  }
}

std::vector<std::string> storyteller::tell(const std::vector<digest>& chain, const finding& broken) {
  state at = world_.start();
  for (const digest& next : chain) {
    wanted_ = next;
    found_.reset();
    world_.each_successor(at, *this, true);
    if (!found_) return lines_;
    at = *found_;
  }
  wanted_.reset();
  last_ = &broken;
  found_.reset();
  world_.each_successor(at, *this, true);
  return lines_;
}

search_result searching::run() {
  std::byte packed[packed_bytes_max];
  std::size_t size = 0;
  const state first = world_.start();
  const digest start = digest_of_state(first, packed, size);
  open_.push(seen_.insert(start, fingerprint_set::nowhere).at, packed, size);
  for (unsigned depth = 0; open_.size() > 0 && !broken_; ++depth) {
    result_.depth = depth;
    for (std::uint64_t left = open_.size(); left > 0 && !broken_; --left) {
      if (seen_.size() >= limits_.states_max) {
        result_.states = seen_.size();
        return result_;
      }
      expand();
    }
  }
  result_.states = seen_.size();
  result_.complete = !broken_;
  if (!broken_ && limits_.looks_for_circles && goes_round())
    result_.found = counterexample{{"no-wedge", "a run can go round for ever"}, {}};
  if (broken_) result_.found = tell(broken_from_, *broken_);
  return result_;
}

void searching::expand() {
  const state from = open_.pop(here_);
  const std::uint64_t steps_before = result_.steps;
  const std::optional<finding> stuck = world_.each_successor(from, *this);
  if (stuck && !broken_) {
    broken_ = stuck;
    broken_from_ = here_;
  }
  if (result_.steps == steps_before) ++result_.ends;
}

void searching::take(const state& next, const finding* broken, const std::vector<std::string>&) {
  ++result_.steps;
  if (broken != nullptr) {
    if (!broken_) {
      broken_ = *broken;
      broken_from_ = here_;
    }
    return;
  }
  std::byte packed[packed_bytes_max];
  std::size_t size = 0;
  const digest of = digest_of_state(next, packed, size);
  const auto inserted = seen_.insert(of, here_);
  if (limits_.looks_for_circles) steps_.emplace_back(here_, inserted.at);
  if (inserted.is_new) open_.push(inserted.at, packed, size);
}

counterexample searching::tell(place from, const finding& broken) {
  std::vector<place> chain;
  for (place at = from; at != fingerprint_set::nowhere; at = seen_.parent(at))
    chain.push_back(at);
  chain.pop_back();  // The start.
  std::reverse(chain.begin(), chain.end());
  std::vector<digest> digests;
  for (const place at : chain)
    digests.push_back(seen_.at(at));
  return {broken, storyteller(world_).tell(digests, broken)};
}

// Takes away states that nothing leads to, again and again; what is left at the end leads round.
bool searching::goes_round() const {
  std::vector<std::uint32_t> into(seen_.capacity());
  std::vector<std::pair<place, place>> steps = steps_;
  std::sort(steps.begin(), steps.end());
  for (const auto& [from, to] : steps)
    ++into[to];
  std::vector<place> free;
  for (const auto& [from, to] : steps) {
    if (into[from] == 0 && (free.empty() || free.back() != from)) free.push_back(from);
  }
  std::size_t taken = 0;
  while (!free.empty()) {
    const place from = free.back();
    free.pop_back();
    for (auto at = std::lower_bound(steps.begin(), steps.end(), std::pair<place, place>{from, 0});
         at != steps.end() && at->first == from; ++at, ++taken) {
      if (--into[at->second] == 0) free.push_back(at->second);
    }
  }
  return taken != steps.size();
}

}  // namespace

search_result search(world& in, const search_limits& limits) {
  return searching(in, limits).run();
}

}  // namespace onceward::model
