#include "tests/model/state.h"

#include <algorithm>

namespace onceward::model {
namespace {

constexpr std::size_t fixed_bytes = offsetof(state, exchanges);

template <typename T>
void write(std::byte*& to, const T* from, std::size_t count) {
  std::memcpy(to, from, count * sizeof(T));
  to += count * sizeof(T);
}

template <typename T>
void read(const std::byte*& from, T* to, std::size_t count) {
  std::memcpy(to, from, count * sizeof(T));
  from += count * sizeof(T);
}

}  // namespace

std::size_t pack(const state& from, std::byte* to) {
  std::byte* end = to;
  std::memcpy(end, &from, fixed_bytes);
  end += fixed_bytes;
  write(end, from.exchanges.data(), from.exchange_count);
  write(end, from.callers.data(), from.caller_count);
  write(end, from.grants.data(), from.grant_count);
  write(end, from.stragglers.data(), from.straggler_count);
  return static_cast<std::size_t>(end - to);
}

state unpack(const std::byte* from) {
  state to;
  std::memset(static_cast<void*>(&to), 0, sizeof to);
  std::memcpy(static_cast<void*>(&to), from, fixed_bytes);
  from += fixed_bytes;
  read(from, to.exchanges.data(), to.exchange_count);
  read(from, to.callers.data(), to.caller_count);
  read(from, to.grants.data(), to.grant_count);
  read(from, to.stragglers.data(), to.straggler_count);
  return to;
}

void sort(state& what) {
  std::sort(what.exchanges.begin(), what.exchanges.begin() + what.exchange_count,
            [](const exchange_slot& left, const exchange_slot& right) { return left.name < right.name; });
  std::sort(what.callers.begin(), what.callers.begin() + what.caller_count);
  std::sort(what.stragglers.begin(), what.stragglers.begin() + what.straggler_count);
}

}  // namespace onceward::model
