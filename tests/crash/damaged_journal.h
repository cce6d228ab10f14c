// A small journal to be damaged, checked and repaired, and what is in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "onceward/store.h"
#include "platter.h"
#include "stores/journal/segment_header.h"

namespace onceward::crash {

// What a journal says of each key to one who has just opened it: the text of its reply to a find. In another place, so
// that the platter stays as it is. Nothing where the journal refuses to open.
using contents = std::map<std::uint64_t, std::string>;
std::optional<contents> contents_of(const platter& disk);
// The fence of the next grant.
std::uint64_t next_fence(const platter& disk);

inline constexpr std::uint64_t keys_in_sample = 9;
// Some of them.
inline constexpr std::uint64_t completed_early = 0;  // With a body that spans blocks.
inline constexpr std::uint64_t unknown_early = 1;
inline constexpr std::uint64_t churned = 2;  // Claimed and released over three segments, then completed.
inline constexpr std::uint64_t completed_last = 3;
inline constexpr std::uint64_t released_early = 4;
inline constexpr std::uint64_t in_flight_early = 5;
inline constexpr std::uint64_t completed_late = 6;  // Claimed in the first segment, completed in the last.
inline constexpr std::uint64_t only_in_second = 7;  // All that is known of it is in the second segment.
inline constexpr std::uint64_t released_late = 8;

// Three segments and files that wait; one entry in each batch.
const platter& sample_journal();

struct written_segment {
  std::string file;
  std::size_t bytes;  // Up to the last that is not zero.
  journal::segment_header header;
};
// Of the log, oldest first.
std::vector<written_segment> segments_of(const platter& disk);

// An entry of a sound log.
struct placed_entry {
  std::uint64_t key;
  std::string kind;  // of a reply that tells of it
  std::string file;
  std::size_t begin = 0;  // Of its batch,
  std::size_t end = 0;    // and that batch's end.
  std::uint64_t sequence = 0;
};
// In order.
std::vector<placed_entry> entries_of(const platter& disk);

}  // namespace onceward::crash
