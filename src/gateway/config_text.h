// The small languages of configuration values, shared by the file and the command line: durations, sizes, numbers,
// addresses; and how a value is written back.
//
// Each parser returns the value, or the rest of a sentence that begins with the setting's name: "must be ...".
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "gateway/settings.h"

namespace onceward::gateway {

template <typename T>
using parsed = tl::expected<T, std::string>;

// A whole number with a unit (ms, s, m, h, d), or 0.
parsed<std::chrono::milliseconds> parse_duration(std::string_view text);

// A whole number of bytes, or one with a unit (B, KiB, MiB, GiB, TiB).
parsed<std::uint64_t> parse_bytes(std::string_view text);

// A whole number without sign.
parsed<std::uint64_t> parse_count(std::string_view text);

// true or false.
parsed<bool> parse_boolean(std::string_view text);

// HOST:PORT to listen on; an IPv6 address in brackets; port 0 lets the system choose.
parsed<host_and_port> parse_host_and_port(std::string_view text);

// http://HOST[:PORT], nothing after it but one slash.
parsed<upstream_address> parse_upstream(std::string_view text);

// The largest unit that divides the value: "10s", "24h", "0"; "64KiB", "1000".
std::string duration_text(std::chrono::milliseconds value);
std::string bytes_text(std::uint64_t value);
std::string host_and_port_text(std::string_view host, std::uint16_t port);

// The word that was probably meant: the nearest by edits, if few enough of the letters differ.
std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> known);

// "; did you mean `word`?", or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);

}  // namespace onceward::gateway
