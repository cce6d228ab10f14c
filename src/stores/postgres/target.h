// Where the database is: the URL of the configuration, taken apart by libpq, with the settings that every connection of
// ours has unless the URL says otherwise. Passwords come from it, or where libpq looks by itself: PGPASSWORD,
// PGPASSFILE and its other variables. Nothing that is shown to people has them in it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

namespace onceward::postgres {

struct target {
  std::vector<std::pair<std::string, std::string>> settings;  // Keywords of libpq. May hold a password.
  std::string description;                                    // "HOST:PORT/DATABASE"
};

// The error is a sentence that does not repeat the URL.
tl::expected<target, std::string> parse_target(const std::string& url);

// Words of libpq or of the server in one line.
std::string one_line(std::string_view message);

}  // namespace onceward::postgres
