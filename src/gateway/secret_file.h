// The deployment secret on disk. Without it, record keys, scopes and fingerprints mean nothing; with another one, no
// key of a client finds its record and every retry would run again. So a data directory remembers which secret its
// records were written under, and refuses another.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

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

// Whether `directory` may be used with this secret: its file `secret.id` tells the secret of its records from any other
// without telling it. Where there is no such file, or no record that depends on it, it is written. The error is a
// sentence that says what to do.
tl::expected<void, std::string> claim_directory(const std::string& directory, std::string_view secret,
                                                bool has_records);

// A random secret, not written anywhere.
std::string make_secret();

// Equal for equal secrets only, and of no use to find one.
std::string identity_of_secret(std::string_view secret);

}  // namespace onceward::gateway
