// Commands that differ only in what a test is about.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "onceward/store.h"

namespace onceward::conformance {

using std::chrono::milliseconds;

inline constexpr milliseconds lease{30'000};
inline constexpr milliseconds retention{24 * 3'600'000};

// Keys and attempts by number; uniformly distributed, as real ones are.
record_key key_of(std::uint64_t number);
attempt_id attempt_of(std::uint64_t number);

shared_bytes bytes(std::string_view text);

claim claim_of(std::uint64_t key, std::uint64_t attempt);
// One for each key from `from` to before `until`; key n by attempt `attempts` + n.
std::vector<command> claims_of(std::uint64_t from, std::uint64_t until, std::uint64_t attempts = 0);
claim takeover_of(std::uint64_t key, std::uint64_t attempt, std::uint64_t over);
renew renew_of(std::uint64_t key, std::uint64_t attempt);
complete completed_of(std::uint64_t key, std::uint64_t attempt, std::string_view response = "response");
complete unknown_of(std::uint64_t key, std::uint64_t attempt);
release release_of(std::uint64_t key, std::uint64_t attempt);

}  // namespace onceward::conformance
