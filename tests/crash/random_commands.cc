#include "random_commands.h"

#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "sample_commands.h"

namespace onceward::crash {

using namespace std::chrono_literals;
using conformance::attempt_of;
using conformance::key_of;

const record_key* key_in(const command& what) {
  return std::visit(
      [](const auto& each) -> const record_key* {
        if constexpr (requires { each.key; }) return &each.key;
        return nullptr;
      },
      what);
}

random_commands::random_commands(std::uint64_t seed, std::uint64_t keys, std::size_t body_bytes_max)
    : random_(seed), keys_(keys), body_bytes_max_(body_bytes_max), attempts_(keys) {}

command random_commands::next() {
  const std::uint64_t key = below(keys_);
  switch (below(16)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return some_claim(key);
    case 4: {
      claim again = some_claim(key);
      again.attempt = attempt_of(some_attempt(key));
      return again;
    }
    case 5: {
      claim takeover = some_claim(key);
      takeover.over_unknown = attempt_of(some_attempt(key));
      return takeover;
    }
    case 6:
      return renew{key_of(key), attempt_of(some_attempt(key)), 5s};
    case 7:
    case 8:
    case 9:
    case 10:
      return some_completion(key);
    case 11:
      return complete{key_of(key), attempt_of(some_attempt(key)), outcome_unknown{some_retention()}};
    case 12:
      return release{key_of(key), attempt_of(some_attempt(key))};
    case 13:
      return list_unknown{{}, 1 + below(4)};
    case 14:
      if (below(4) == 0) return purge{};
      return find{key_of(key)};
    default:
      return find{key_of(key)};
  }
}

std::vector<command> random_commands::next_group(std::size_t size_max) {
  std::vector<command> group;
  std::set<record_key> taken;
  do {
    command one = next();
    const record_key* const key = key_in(one);
    if (key != nullptr && taken.insert(*key).second) group.push_back(std::move(one));
  } while (group.empty() || (group.size() < size_max && below(4) != 0));
  return group;
}

std::chrono::milliseconds random_commands::pause() {
  switch (below(12)) {
    case 0:
      return 300ms;
    case 1:
      return 2s;
    case 2:
      return 40s;
    case 3:
      return below(8) == 0 ? 2h : 0h;
    default:
      return 0s;
  }
}

std::uint64_t random_commands::new_attempt(std::uint64_t key) {
  attempts_[key].push_back(++last_attempt_);
  return last_attempt_;
}

// The latest one mostly.
std::uint64_t random_commands::some_attempt(std::uint64_t key) {
  const auto& of_key = attempts_[key];
  if (of_key.empty()) return new_attempt(key);
  if (below(4) != 0) return of_key.back();
  return of_key[below(of_key.size())];
}

std::chrono::milliseconds random_commands::some_retention() {
  if (below(32) == 0) return 1h;
  constexpr std::chrono::milliseconds retentions[] = {500ms, 1s, 3s, 20s};
  return retentions[below(std::size(retentions))];
}

claim random_commands::some_claim(std::uint64_t key) {
  const std::uint64_t attempt = new_attempt(key);
  claim what = conformance::claim_of(key, attempt);
  what.lease = below(2) == 0 ? 1s : 30s;
  what.retention = some_retention();
  what.fingerprint = std::make_shared<const std::string>(below(200), static_cast<char>('a' + attempt % 26));
  return what;
}

complete random_commands::some_completion(std::uint64_t key) {
  const std::uint64_t attempt = some_attempt(key);
  const std::size_t bytes = below(3) == 0 ? below(body_bytes_max_ + 1) : below(300);
  outcome_completed outcome{
      .response = std::make_shared<const std::string>(bytes, static_cast<char>('A' + attempt % 26)),
      .tombstone = std::make_shared<const std::string>("tombstone " + std::to_string(attempt)),
      .retention = some_retention(),
      .retention_tombstone = some_retention()};
  if (below(8) == 0) outcome.response = nullptr;
  return {key_of(key), attempt_of(attempt), std::move(outcome)};
}

}  // namespace onceward::crash
