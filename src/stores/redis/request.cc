#include "stores/redis/request.h"

namespace onceward::redis {

requests& requests::begin(std::size_t words) {
  ++count_;
  bytes_.append("*").append(std::to_string(words)).append("\r\n");
  return *this;
}

requests& requests::word(std::string_view text) {
  return word(text, {});
}

requests& requests::word(std::span<const std::byte> bytes) {
  return word(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

requests& requests::word(std::string_view first, std::string_view second) {
  bytes_.append("$").append(std::to_string(first.size() + second.size())).append("\r\n");
  bytes_.append(first).append(second).append("\r\n");
  return *this;
}

}  // namespace onceward::redis
