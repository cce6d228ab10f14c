// Commands for a few keys as several clients in trouble would send them: repeated, late, of attempts that lost their
// record, with short and long leases and retentions, large and small bodies.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "onceward/store.h"

namespace onceward::crash {

// Null for a command that concerns all keys.
const record_key* key_in(const command& what);

class random_commands {
 public:
  random_commands(std::uint64_t seed, std::uint64_t keys, std::size_t body_bytes_max);

  command next();
  // One or more for different keys, to be outstanding together.
  std::vector<command> next_group(std::size_t size_max);
  // How long to wait before it; mostly nothing.
  std::chrono::milliseconds pause();

  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }
  std::mt19937_64& source() { return random_; }

 private:
  std::uint64_t new_attempt(std::uint64_t key);
  std::uint64_t some_attempt(std::uint64_t key);
  std::chrono::milliseconds some_retention();
  claim some_claim(std::uint64_t key);
  complete some_completion(std::uint64_t key);

  std::mt19937_64 random_;
  std::uint64_t keys_;
  std::size_t body_bytes_max_;
  std::uint64_t last_attempt_ = 0;
  std::vector<std::vector<std::uint64_t>> attempts_;  // By key, latest last.
};

}  // namespace onceward::crash
