#include "stores/postgres/batch.h"

#include <algorithm>
#include <iterator>
#include <list>
#include <unordered_set>
#include <utility>
#include <variant>

#include "base/assert.h"
#include "core/record.h"

namespace onceward::postgres {
namespace {

// What libpq gathers before it writes: within it, a batch goes out in one system call.
constexpr std::size_t one_piece_bytes_max = 8'000;

bool is_fresh_claim(const pending_command& asked) {
  const auto* claimed = std::get_if<claim>(&asked.what);
  return claimed != nullptr && !claimed->over_unknown && asked.sent == 0;
}

bool is_fresh_completion(const pending_command& asked) {
  const auto* ended = std::get_if<complete>(&asked.what);
  return ended != nullptr && std::holds_alternative<outcome_completed>(ended->outcome) && asked.sent == 0;
}

// A process that is stopped is not to leave half a batch, and locks that others want, with the server. Completions lock
// what is this gateway's own, so they go first, and the last statement is always sent in one piece with the end of the
// batch. So a batch of claims and completions that go with others may be long; with anything else, it is in one piece.
class gathering {
 public:
  batch take(std::deque<pending_command>& queue) {
    while (!queue.empty() && add(queue.front())) {
      const bool alone = queue.front().alone;
      queue.pop_front();
      if (alone) break;
    }
    return in_order();
  }

 private:
  // False for one that has to wait for another batch.
  bool add(pending_command& next) {
    const bool is_first_of_key = keys_.insert(*key_of(next.what)).second;
    const bool claims = is_first_of_key && !next.alone && is_fresh_claim(next);
    const bool completes = is_first_of_key && !next.alone && is_fresh_completion(next);
    const bool is_single = !claims && !completes;
    const std::size_t bytes = bytes_ + wire_bytes(next.what);
    const std::size_t bytes_max = is_single || !singles_.empty() ? one_piece_bytes_max : batch_bytes_max;
    const bool is_first = keys_.size() == 1 && is_first_of_key;
    if (!is_first && (next.alone || bytes > bytes_max)) return false;
    bytes_ = bytes;
    if (is_single) {
      singles_.push_back(std::move(next));
    } else {
      (claims ? claims_ : completions_).push_back(std::move(next));
    }
    return true;
  }

  batch in_order() {
    const auto by_key = [](const pending_command& left, const pending_command& right) {
      return *key_of(left.what) < *key_of(right.what);
    };
    batch made;
    for (auto* each : {&completions_, &claims_}) {
      std::sort(each->begin(), each->end(), by_key);
      if (!each->empty()) made.push_back({std::move(*each)});
    }
    // Those of one key stay as they came.
    singles_.sort(by_key);
    for (pending_command& each : singles_)
      made.emplace_back().commands.push_back(std::move(each));
    return made;
  }

  std::unordered_set<record_key, core::record_key_index> keys_;
  std::size_t bytes_ = 0;
  std::vector<pending_command> claims_, completions_;
  std::list<pending_command> singles_;
};

statement encode_one(const command& what, parameters& into) {
  return std::visit(
      [&](const auto& each) {
        if constexpr (requires { encode(each, into); }) return encode(each, into);
        onceward_assert(false && "a command that has no record");
        return statement::find;
      },
      what);
}

}  // namespace

batch take_batch(std::deque<pending_command>& queue) {
  onceward_assert(!queue.empty());
  return gathering().take(queue);
}

statement encode(const batch_part& what, parameters& into) {
  if (!what.is_many()) return encode_one(what.commands.front().what, into);
  std::vector<const command*> all;
  for (const pending_command& each : what.commands)
    all.push_back(&each.what);
  return encode_many(all, into);
}

}  // namespace onceward::postgres
