// Remembers the keyed digests of short texts that come again and again: a method, a media type, the path of an
// endpoint, the credential of a client that sends many requests. A digest is a function of its text, so a memo changes
// no result, only how soon it is there.
//
// One for each thread, under one secret. Holds at most `entries` texts in memory, never on disk; a newer one takes an
// older one's place.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/checksum.h"
#include "base/digest.h"

namespace onceward::core {

class digest_memo {
 public:
  static constexpr std::size_t entries = 256;
  static constexpr std::size_t text_bytes_max = 158;

  // The digest of `text`: as remembered, or from `make`. Different texts never get each other's.
  template <typename Make>
  base::sha256_digest digest_of(std::string_view text, Make make) {
    if (text.empty() || text.size() > text_bytes_max) return make();
    entry& place = entries_[base::checksum(text) % entries];
    if (place.bytes == text.size() && std::memcmp(place.text.data(), text.data(), text.size()) == 0) {
      return place.digest;
    }
    place.digest = make();
    place.bytes = static_cast<std::uint16_t>(text.size());
    std::memcpy(place.text.data(), text.data(), text.size());
    return place.digest;
  }

 private:
  struct entry {
    base::sha256_digest digest;
    std::uint16_t bytes = 0;  // None: empty.
    std::array<char, text_bytes_max> text;
  };

  std::vector<entry> entries_ = std::vector<entry>(entries);
};

}  // namespace onceward::core
