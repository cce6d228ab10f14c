// What the engines under the store benchmark have in common: records of one shape, written in groups of 64 that are
// durable before the next one of the same lane begins.
//
// A record is written twice, as the gateway does it: its claim, 148 bytes behind a key of 32, and its outcome, 564
// bytes with what the claim said. Before each write the engine reads what is there under the key and compares it: a
// claim finds nothing, an outcome the claim of its attempt. The journal does this by itself; the others get it here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "onceward/identity.h"

namespace onceward::bench {

inline constexpr std::size_t group_size = 64;
inline constexpr std::size_t lanes = 2;  // While one group is synced, another one is prepared.
inline constexpr std::size_t fingerprint_bytes = 100;
inline constexpr std::size_t response_bytes = 400;
inline constexpr std::size_t tombstone_bytes = 16;
// An attempt id, times, numbers.
inline constexpr std::size_t claim_value_bytes = 48 + fingerprint_bytes;
inline constexpr std::size_t outcome_value_bytes = claim_value_bytes + response_bytes + tombstone_bytes;

struct new_record {
  record_key key;
  attempt_id attempt;
};

// The bytes that an engine without an idea of records keeps; the attempt's id is in front.
std::string claim_value(const new_record& of);
std::string outcome_value(const new_record& of);
// Whether `value` was written by this attempt.
bool is_of(std::string_view value, const attempt_id& attempt);

// An engine that is open on a directory. The calls of a lane come one after the other, those of several lanes at the
// same time. What fails throws std::runtime_error.
class engine {
 public:
  virtual ~engine() = default;

  // Durable on return.
  virtual void claim(std::span<const new_record> group) = 0;
  virtual void complete(std::span<const new_record> group) = 0;
};

// One kind of engine.
class engine_kind {
 public:
  virtual ~engine_kind() = default;

  virtual std::string name() const = 0;
  virtual std::unique_ptr<engine> open(const std::string& directory) = 0;
  // Makes the store in `directory` with `count` completed records, in the order of their keys, as fast as it can. It is
  // durable on return.
  virtual void fill(const std::string& directory, std::uint64_t count) = 0;
};

// The record number `index` of `count` that are there from the beginning. Keys rise with it, evenly over all there are.
new_record stored_record(std::uint64_t index, std::uint64_t count);

// The command line of the benchmark of one engine. Prints one line of JSON.
int run(engine_kind& kind, int argc, char** argv);

inline void require(bool good, std::string_view what) {
  if (!good) throw std::runtime_error(std::string(what));
}

}  // namespace onceward::bench
