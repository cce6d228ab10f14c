// One byte form for each value that can be part of a state, so that equal values are recognised and different ones told
// apart. In memory only.
#pragma once

#include <xxhash.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>

#include "core/exchange.h"
#include "stores/memory/record_table.h"

namespace onceward::model {

class encoder {
 public:
  template <typename T>
    requires std::integral<T> || std::is_enum_v<T>
  void number(T value) {
    const auto wide = static_cast<std::uint64_t>(value);
    out_.append(reinterpret_cast<const char*>(&wide), sizeof wide);
  }
  void raw(const void* bytes, std::size_t size) { out_.append(static_cast<const char*>(bytes), size); }
  void text(const std::string& value) {
    number(value.size());
    out_ += value;
  }
  void blob(const shared_bytes& value) {
    number(value != nullptr);
    if (value != nullptr) text(*value);
  }
  const std::string& form() const { return out_; }

 private:
  std::string out_;
};

void encode(encoder& out, const command& value);
void encode(encoder& out, const reply& value);
void encode(encoder& out, const core::ended_attempt& value);
void encode(encoder& out, const core::exchange& value);
void encode(encoder& out, const memory_store::record_table& value);

// A digest stands for the form: 127 bits of it, so that two of a billion values have the same with a chance below
// 10^-20. `low` is odd, which leaves 0 for "none".
struct digest {
  std::uint64_t low;
  std::uint64_t high;
  friend bool operator==(const digest&, const digest&) = default;
};

inline digest digest_of(const void* bytes, std::size_t size) {
  const XXH128_hash_t hash = XXH3_128bits(bytes, size);
  return {hash.low64 | 1, hash.high64};
}

template <typename T>
digest digest_of(const T& value) {
  encoder out;
  encode(out, value);
  return digest_of(out.form().data(), out.form().size());
}

}  // namespace onceward::model

// Both classes name these as their friends and know nothing else of the model checker.
namespace onceward::core {
struct exchange_access {
  static void encode(model::encoder& out, const exchange& value);
};
}  // namespace onceward::core

namespace onceward::memory_store {
struct record_table_access {
  static void encode(model::encoder& out, const record_table& value);
  // What a journal finds when it is opened by the next process.
  static void abandon_all(record_table& table, wall_time now);
};
}  // namespace onceward::memory_store
