// An entry of the log: one record as it was after a command, complete in itself. Nothing before it is needed to read
// it, and it supersedes every earlier entry of its key.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/record.h"
#include "onceward/result.h"

namespace onceward::journal {

// The body's length and checksum stand before it.
inline constexpr std::size_t entry_header_bytes = 12;

// The kind of a record's state, as the log writes it.
enum class state_kind : std::uint8_t { in_flight = 1, completed = 2, released = 3, unknown = 4 };

state_kind kind_of(const core::record& kept);

// What the index keeps of an entry.
struct entry_head {
  record_key key;
  state_kind kind;
  fence token;
  std::optional<wall_time> expires_at;  // Nothing while in flight.
};

struct entry {
  record_key key;
  core::record kept;
};

// No entry is shorter, header and body together.
inline constexpr std::size_t entry_bytes_min = 100;

// Header and body together.
std::size_t entry_bytes_of(const core::record& kept);

// Appends the body, which is the same in every segment.
void encode_entry_body(const record_key& key, const core::record& kept, std::string& out);
// The key of a body that this process encoded.
record_key key_in(std::string_view body);
// The header of a body in a segment of this generation, which is part of the checksum.
std::array<char, entry_header_bytes> entry_header(std::string_view body, std::uint64_t generation);

// Appends both.
void encode_entry(const record_key& key, const core::record& kept, std::uint64_t generation, std::string& out);

// Takes the entry at the beginning of `bytes` apart: its body, with length and checksum proven. errc::corrupt.
result<std::string_view> entry_body(std::string_view bytes, std::uint64_t generation);

// errc::corrupt for a body that does not keep to the format.
result<entry_head> decode_entry_head(std::string_view body);
result<entry> decode_entry(std::string_view body);

}  // namespace onceward::journal
