// The identities that a store is spoken to with: which record, which attempt, which grant.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace onceward {

// HMAC-SHA-256 of scope, operation and idempotency key under the deployment secret: names one record and tells nothing
// of the three. Uniformly distributed, so any of its bytes may serve as a shard or hash index.
struct record_key {
  std::array<std::byte, 32> bytes{};
  friend auto operator<=>(const record_key&, const record_key&) = default;
  // The library would compare a byte at a time.
  friend bool operator==(const record_key& left, const record_key& right) {
    return std::memcmp(left.bytes.data(), right.bytes.data(), left.bytes.size()) == 0;
  }
};

// 128 random bits that name one attempt. A store accepts renewals and outcomes from the attempt that owns the record
// only.
struct attempt_id {
  std::array<std::byte, 16> bytes{};
  friend auto operator<=>(const attempt_id&, const attempt_id&) = default;
  friend bool operator==(const attempt_id& left, const attempt_id& right) {
    return std::memcmp(left.bytes.data(), right.bytes.data(), left.bytes.size()) == 0;
  }
};

// A number that rises with every grant, so that an upstream can refuse a straggler. 0 is never granted.
enum class fence : std::uint64_t {};

}  // namespace onceward
