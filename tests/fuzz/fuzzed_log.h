// Logs out of the input of a fuzz target, and what is read of them.
//
// The first byte of the input says how the rest is used. Even: blows to the bytes of a sound log, each two bytes for
// the place, one for how many follow, and those. Odd: entries for a log that is sound around them, each two bytes for
// the length and the body, all checksums right.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "onceward/store.h"
#include "simulated_disk.h"

namespace onceward::fuzz {

inline constexpr wall_time now{std::chrono::milliseconds{1'767'225'600'000}};

// Whether the input is of blows.
bool is_blows(std::span<const std::uint8_t> input);
// What is struck.
const crash::platter& sound_log();
// The log that the input makes.
crash::platter log_of(std::span<const std::uint8_t> input);

// Every entry of the log, as far as it is read; nothing where it is refused.
std::optional<std::vector<std::string>> entries_in(crash::simulated_disk& disk);
std::vector<record_key> keys_in(const std::vector<std::string>& entries);

// The kinds of the journal's replies about the keys; nothing where it does not open.
std::optional<std::vector<std::size_t>> states_in(crash::simulated_disk& disk, const std::vector<record_key>& keys);

}  // namespace onceward::fuzz
