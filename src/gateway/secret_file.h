// The deployment secret on disk. Without it, record keys, scopes and fingerprints mean nothing; with another one, no
// key of a client finds its record.
#pragma once

#include <string>

#include <tl/expected.hpp>

namespace onceward::gateway {

inline constexpr std::size_t secret_bytes = 32;

struct secret_found {
  std::string bytes;
  bool made = false;  // By this call.
};

// The secret in `path`: 64 hexadecimal digits, white space after them allowed. The error is a sentence that names the
// path: not there, not readable, of another form, or readable by others than its owner.
tl::expected<std::string, std::string> read_secret(const std::string& path);

// The same; where there is no file, a random secret is written there first, durably and readable by its owner only.
tl::expected<secret_found, std::string> read_or_make_secret(const std::string& path);

// A random secret that lives as long as the process.
std::string make_secret();

}  // namespace onceward::gateway
