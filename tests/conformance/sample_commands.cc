#include "sample_commands.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace onceward::conformance {
namespace {

// splitmix64: each byte of a key looks random and is the same in every run.
void scatter(std::uint64_t number, std::span<std::byte> out) {
  std::uint64_t state = number;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i % 8 == 0) state += 0x9e3779b97f4a7c15u;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    mixed ^= mixed >> 31;
    out[i] = static_cast<std::byte>(mixed >> (8 * (i % 8)));
  }
}

}  // namespace

record_key key_of(std::uint64_t number) {
  record_key key;
  scatter(number, key.bytes);
  return key;
}

attempt_id attempt_of(std::uint64_t number) {
  attempt_id id;
  scatter(number + (1ull << 40), id.bytes);
  return id;
}

shared_bytes bytes(std::string_view text) {
  return std::make_shared<const std::string>(text);
}

claim claim_of(std::uint64_t key, std::uint64_t attempt) {
  return {.key = key_of(key),
          .attempt = attempt_of(attempt),
          .lease = lease,
          .retention = retention,
          .fingerprint = bytes("fingerprint of " + std::to_string(attempt))};
}

std::vector<command> claims_of(std::uint64_t from, std::uint64_t until, std::uint64_t attempts) {
  std::vector<command> made;
  for (std::uint64_t key = from; key < until; ++key)
    made.emplace_back(claim_of(key, attempts + key));
  return made;
}

claim takeover_of(std::uint64_t key, std::uint64_t attempt, std::uint64_t over) {
  claim what = claim_of(key, attempt);
  what.over_unknown = attempt_of(over);
  return what;
}

renew renew_of(std::uint64_t key, std::uint64_t attempt) {
  return {key_of(key), attempt_of(attempt), lease};
}

complete completed_of(std::uint64_t key, std::uint64_t attempt, std::string_view response) {
  return {key_of(key), attempt_of(attempt),
          outcome_completed{.response = bytes(response),
                            .tombstone = bytes("tombstone"),
                            .retention = retention,
                            .retention_tombstone = retention}};
}

complete unknown_of(std::uint64_t key, std::uint64_t attempt) {
  return {key_of(key), attempt_of(attempt), outcome_unknown{retention}};
}

release release_of(std::uint64_t key, std::uint64_t attempt) {
  return {key_of(key), attempt_of(attempt)};
}

}  // namespace onceward::conformance
