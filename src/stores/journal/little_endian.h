// Integers as the journal's files have them: little-endian, of fixed width, at no particular alignment.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace onceward::journal {

template <std::integral Integer>
std::array<char, sizeof(Integer)> little_endian(Integer value) {
  auto bytes = std::bit_cast<std::array<char, sizeof(Integer)>>(value);
  if constexpr (std::endian::native == std::endian::big) std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

template <std::integral Integer>
void put(std::string& out, Integer value) {
  const auto bytes = little_endian(value);
  out.append(bytes.data(), bytes.size());
}

// A number whose order is that of the bytes.
inline std::uint64_t big_endian(std::span<const std::byte, sizeof(std::uint64_t)> bytes) {
  std::uint64_t value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return std::endian::native == std::endian::big ? value : __builtin_bswap64(value);
}

// Puts values one behind the other into memory that has room for them all.
// borrows: that memory.
class byte_writer {
 public:
  explicit byte_writer(char* to) : next_(to) {}

  template <std::integral Integer>
  void put(Integer value) {
    const auto bytes = little_endian(value);
    put_bytes({bytes.data(), bytes.size()});
  }
  void put_bytes(std::string_view bytes) {
    std::memcpy(next_, bytes.data(), bytes.size());
    next_ += bytes.size();
  }

  // Behind what was put.
  const char* end() const { return next_; }

 private:
  char* next_;
};

// Takes values from the front of bytes that may be anything. After the first that is not there, ok() is false and every
// further one is zero or empty.
// borrows: the bytes that it was made with, as long as it is asked.
class byte_reader {
 public:
  explicit byte_reader(std::string_view bytes) : left_(bytes) {}

  template <std::integral Integer>
  Integer take() {
    const std::string_view from = take_bytes(sizeof(Integer));
    if (from.empty()) return 0;
    std::array<char, sizeof(Integer)> bytes;
    std::copy_n(from.begin(), bytes.size(), bytes.begin());
    if constexpr (std::endian::native == std::endian::big) std::reverse(bytes.begin(), bytes.end());
    return std::bit_cast<Integer>(bytes);
  }

  std::string_view take_bytes(std::size_t count) {
    if (count > left_.size()) {
      ok_ = false;
      left_ = {};
      return {};
    }
    const std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }

  bool ok() const { return ok_; }
  std::size_t left() const { return left_.size(); }

 private:
  std::string_view left_;
  bool ok_ = true;
};

}  // namespace onceward::journal
