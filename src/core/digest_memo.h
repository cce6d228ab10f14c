// Remembers the keyed digests of short texts that come again and again: a method, a media type, the path of an
// endpoint, the credential of a client that sends many requests. A digest is a function of its text, so a memo changes
// no result, only how soon it is there.
//
// One for each thread, under one secret. Holds at most `entries` texts in memory, never on disk; a newer one takes the
// place of one that was not asked for lately.
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
  // A text has a few places to be in: with one alone, two that every request has could take it from each other for
  // ever.
  static constexpr std::size_t ways = 4;
  static constexpr std::size_t sets = entries / ways;
  static constexpr std::size_t text_bytes_max = 158;

  // The digest of `text`: as remembered, or from `make`. Different texts never get each other's.
  template <typename Make>
  base::sha256_digest digest_of(std::string_view text, Make make) {
    if (text.empty() || text.size() > text_bytes_max) return make();
    const std::uint64_t hash = base::checksum(text);
    place_set& home = sets_[hash % sets];
    for (std::size_t way = 0; way < ways; ++way) {
      entry& place = home.places[way];
      if (place.hash != hash || place.bytes != text.size()) continue;
      if (std::memcmp(place.text.data(), text.data(), text.size()) != 0) continue;
      home.latest = static_cast<std::uint8_t>(way);
      return place.digest;
    }
    entry& place = home.places[home.next_to_go()];
    place.digest = make();
    place.hash = hash;
    place.bytes = static_cast<std::uint16_t>(text.size());
    std::memcpy(place.text.data(), text.data(), text.size());
    return place.digest;
  }

 private:
  struct entry {
    base::sha256_digest digest;
    std::uint64_t hash = 0;
    std::uint16_t bytes = 0;  // None: empty.
    std::array<char, text_bytes_max> text;
  };

  struct place_set {
    std::array<entry, ways> places;
    std::uint8_t latest = 0;  // Asked for last, or taken last.

    // The others go round by round, so that none that is in use stays out for long.
    std::size_t next_to_go() { return latest = static_cast<std::uint8_t>((latest + 1) % ways); }
  };

  std::vector<place_set> sets_ = std::vector<place_set>(sets);
};

}  // namespace onceward::core
