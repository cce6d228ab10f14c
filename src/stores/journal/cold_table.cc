#include "stores/journal/cold_table.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace onceward::journal {
namespace {

// `what`: tag 32, segment 20, length 8, nothing 1, kind 3 bits.
constexpr unsigned tag_at = 32;
constexpr unsigned segment_at = 12;
constexpr unsigned length_at = 4;
// `where_until`: offset 30, expiry 34 bits.
constexpr unsigned offset_at = 34;
constexpr std::uint64_t offset_max = (std::uint64_t{1} << 30) - 1;
constexpr std::uint64_t never = (std::uint64_t{1} << offset_at) - 1;

constexpr std::int64_t tick_ms = 500;  // 34 bits of them are 272 years.

// The array grows by a quarter when it is too full, and is made smaller when more than half of it is free.
constexpr std::size_t capacity_min = 16;
constexpr std::size_t overflow_places = 64;

bool is_too_full(std::size_t size, std::size_t capacity) {
  return size * 20 > capacity * 17;
}

// Lengths in units of 16 bytes, as a floating-point number of three bits and an exponent.
constexpr unsigned fraction_bits = 3;
constexpr std::uint64_t length_unit = 16;

unsigned length_code(std::uint64_t bytes) {
  const std::uint64_t units = (bytes + length_unit - 1) / length_unit;
  if (units < (1u << fraction_bits)) return static_cast<unsigned>(units);
  unsigned exponent = static_cast<unsigned>(std::bit_width(units)) - fraction_bits - 1;
  std::uint64_t fraction = (units + (std::uint64_t{1} << exponent) - 1) >> exponent;
  if (fraction == (2u << fraction_bits)) {
    fraction >>= 1;
    ++exponent;
  }
  return ((exponent + 1) << fraction_bits) | static_cast<unsigned>(fraction - (1u << fraction_bits));
}

std::uint64_t length_of_code(unsigned code) {
  const unsigned exponent = code >> fraction_bits;
  const std::uint64_t fraction = code & ((1u << fraction_bits) - 1);
  if (exponent == 0) return fraction * length_unit;
  return ((fraction + (1u << fraction_bits)) << (exponent - 1)) * length_unit;
}

std::uint64_t ticks_of(wall_time time) {
  const std::int64_t ms = time.time_since_epoch().count();
  if (ms <= 0) return 0;
  const auto ticks = static_cast<std::uint64_t>(ms / tick_ms + (ms % tick_ms == 0 ? 0 : 1));
  return std::min(ticks, never);
}

wall_time time_of(std::uint64_t ticks) {
  if (ticks == never) return wall_time::max();
  return wall_time{std::chrono::milliseconds{static_cast<std::int64_t>(ticks) * tick_ms}};
}

}  // namespace

std::uint32_t tag_of(const record_key& key) {
  return prefix_of(key).tag();
}

std::uint64_t rounded_entry_bytes(std::uint64_t bytes) {
  return length_of_code(length_code(bytes));
}

cold_table::place cold_table::packed(const cold_record& what) {
  onceward_assert(what.segment < segments_max && what.offset <= offset_max);
  return {.what = std::uint64_t{what.tag} << tag_at | std::uint64_t{what.segment} << segment_at |
                  std::uint64_t{length_code(what.bytes)} << length_at | static_cast<std::uint64_t>(what.kind),
          .where_until = std::uint64_t{what.offset} << offset_at | ticks_of(what.expires_at)};
}

cold_record cold_table::unpacked(const place& what) {
  return {.tag = what.tag(),
          .segment = static_cast<std::uint32_t>(what.what >> segment_at & (segments_max - 1)),
          .offset = static_cast<std::uint32_t>(what.where_until >> offset_at),
          .bytes = length_of_code(static_cast<unsigned>(what.what >> length_at & 0xff)),
          .kind = what.kind(),
          .expires_at = time_of(what.where_until & never)};
}

bool cold_table::is_at(const place& each, std::uint32_t segment, std::uint32_t offset) {
  return (each.what >> segment_at & (segments_max - 1)) == segment && each.where_until >> offset_at == offset;
}

std::size_t cold_table::home_of(std::uint32_t tag) const {
  return static_cast<std::size_t>(std::uint64_t{tag} * capacity_ >> 32);
}

std::size_t cold_table::first_of(std::uint32_t tag) const {
  std::size_t at = home_of(tag);
  while (at < places_.size() && !places_[at].is_free() && places_[at].tag() < tag)
    ++at;
  return at;
}

void cold_table::reserve(std::size_t count) {
  if (is_too_full(count, capacity_)) resize(std::max(capacity_min, count * 20 / 17 + 1));
}

void cold_table::insert(const cold_record& what) {
  if (is_too_full(size_ + 1, capacity_)) resize(std::max(capacity_min, capacity_ + capacity_ / 4));
  const place packed_up = packed(what);
  const std::size_t at = first_of(what.tag);
  std::size_t free = at;
  while (free < places_.size() && !places_[free].is_free())
    ++free;
  if (free == places_.size()) add_overflow();
  const auto begin = places_.begin();
  std::move_backward(begin + static_cast<std::ptrdiff_t>(at), begin + static_cast<std::ptrdiff_t>(free),
                     begin + static_cast<std::ptrdiff_t>(free) + 1);
  places_[at] = packed_up;
  count(packed_up, 1);
}

bool cold_table::erase(std::uint32_t tag, std::uint32_t segment, std::uint32_t offset) {
  for (std::size_t at = first_of(tag); at < places_.size() && !places_[at].is_free() && places_[at].tag() == tag;
       ++at) {
    if (!is_at(places_[at], segment, offset)) continue;
    erase_at(at);
    return true;
  }
  return false;
}

std::optional<cold_record> cold_table::find(std::uint32_t tag, std::uint32_t segment, std::uint32_t offset) const {
  for (std::size_t at = first_of(tag); at < places_.size() && !places_[at].is_free() && places_[at].tag() == tag;
       ++at) {
    if (is_at(places_[at], segment, offset)) return unpacked(places_[at]);
  }
  return std::nullopt;
}

std::vector<cold_record> cold_table::all_of(std::uint32_t tag) const {
  std::vector<cold_record> found;
  for (std::size_t at = first_of(tag); at < places_.size() && !places_[at].is_free() && places_[at].tag() == tag; ++at)
    found.push_back(unpacked(places_[at]));
  return found;
}

bool cold_table::has_any_of(std::uint32_t tag) const {
  const std::size_t at = first_of(tag);
  return at < places_.size() && !places_[at].is_free() && places_[at].tag() == tag;
}

void cold_table::for_each(const std::function<void(const cold_record&)>& visit) const {
  for (const place& each : places_) {
    if (!each.is_free()) visit(unpacked(each));
  }
}

std::size_t cold_table::erase_if(const std::function<bool(const cold_record&)>& unwanted) {
  // In order, each to its home or right behind the one before: the array never runs out of places for that.
  std::size_t erased = 0;
  std::size_t next = 0;
  for (std::size_t from = 0; from < places_.size(); ++from) {
    if (places_[from].is_free()) continue;
    const place each = std::exchange(places_[from], place{});
    if (unwanted(unpacked(each))) {
      count(each, -1);
      ++erased;
      continue;
    }
    const std::size_t to = std::max(next, home_of(each.tag()));
    places_[to] = each;
    next = to + 1;
  }
  if (capacity_ > capacity_min && size_ < capacity_ / 2) resize(std::max(capacity_min, size_ * 10 / 7));
  return erased;
}

void cold_table::erase_at(std::size_t index) {
  count(places_[index], -1);
  // Those behind it that are not at home move up.
  std::size_t to = index;
  while (to + 1 < places_.size() && !places_[to + 1].is_free() && home_of(places_[to + 1].tag()) <= to) {
    places_[to] = places_[to + 1];
    ++to;
  }
  places_[to] = {};
}

void cold_table::resize(std::size_t capacity) {
  const std::vector<place> old = std::exchange(places_, std::vector<place>(capacity + overflow_places));
  capacity_ = capacity;
  std::size_t next = 0;
  for (const place& each : old) {
    if (each.is_free()) continue;
    const std::size_t to = std::max(next, home_of(each.tag()));
    if (to == places_.size()) add_overflow();
    places_[to] = each;
    next = to + 1;
  }
}

void cold_table::add_overflow() {
  places_.reserve(places_.size() + overflow_places);
  places_.resize(places_.size() + overflow_places);
}

void cold_table::count(const place& what, int by) {
  size_ = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(size_) + by);
  if (what.kind() == state_kind::unknown) {
    unknown_ = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(unknown_) + by);
  }
}

}  // namespace onceward::journal
