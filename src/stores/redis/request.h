// Requests to a server, one after the other, as they go out: each a list of words.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace onceward::redis {

class requests {
 public:
  // Begins the next one, of so many words.
  requests& begin(std::size_t words);
  requests& word(std::string_view text);
  requests& word(std::span<const std::byte> bytes);
  template <std::integral Number>
  requests& word(Number number) {
    return word_of_number(static_cast<std::int64_t>(number));
  }
  // A word in pieces.
  requests& word(std::initializer_list<std::string_view> pieces);

  template <typename... Words>
  requests& add(const Words&... words) {
    begin(sizeof...(words));
    (word(words), ...);
    return *this;
  }

  std::size_t count() const { return count_; }
  const std::string& bytes() const { return bytes_; }

 private:
  requests& word_of_number(std::int64_t number);
  void put_length(char kind, std::size_t length);

  std::string bytes_;
  std::size_t count_ = 0;
};

}  // namespace onceward::redis
