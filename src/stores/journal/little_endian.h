// Integers as the journal's files have them: little-endian, of fixed width, at no particular alignment.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace onceward::journal {

template <std::integral Integer>
void put(std::string& out, Integer value) {
  auto left = static_cast<std::make_unsigned_t<Integer>>(value);
  std::array<char, sizeof(Integer)> bytes;
  for (char& each : bytes) {
    each = static_cast<char>(static_cast<unsigned char>(left & 0xff));
    left = static_cast<decltype(left)>(static_cast<std::uint64_t>(left) >> 8);
  }
  out.append(bytes.data(), bytes.size());
}

// Takes values from the front of bytes that may be anything. After the first that is not there, ok() is false and every
// further one is zero or empty.
// borrows: the bytes that it was made with, as long as it is asked.
class byte_reader {
 public:
  explicit byte_reader(std::string_view bytes) : left_(bytes) {}

  template <std::integral Integer>
  Integer take() {
    const std::string_view bytes = take_bytes(sizeof(Integer));
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i > 0; --i)
      value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
    return static_cast<Integer>(value);
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
