#include "stores/redis/request.h"

#include <array>
#include <charconv>

namespace onceward::redis {
namespace {

constexpr std::size_t digits_max = 20;

}  // namespace

requests& requests::begin(std::size_t words) {
  ++count_;
  put_length('*', words);
  return *this;
}

requests& requests::word(std::string_view text) {
  put_length('$', text.size());
  bytes_.append(text).append("\r\n");
  return *this;
}

requests& requests::word(std::span<const std::byte> bytes) {
  return word(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

requests& requests::word(std::initializer_list<std::string_view> pieces) {
  std::size_t length = 0;
  for (const std::string_view each : pieces)
    length += each.size();
  put_length('$', length);
  for (const std::string_view each : pieces)
    bytes_.append(each);
  bytes_.append("\r\n");
  return *this;
}

requests& requests::word_of_number(std::int64_t number) {
  std::array<char, digits_max> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  return word(std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
}

void requests::put_length(char kind, std::size_t length) {
  std::array<char, digits_max + 3> line{kind};
  char* end = std::to_chars(line.data() + 1, line.data() + line.size() - 2, length).ptr;
  *end++ = '\r';
  *end++ = '\n';
  bytes_.append(line.data(), static_cast<std::size_t>(end - line.data()));
}

}  // namespace onceward::redis
