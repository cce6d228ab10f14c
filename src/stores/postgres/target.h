// Where the database is: the URL of the configuration, taken apart by libpq, with the settings that every connection of
// ours has unless the URL says otherwise. Passwords come from it, or where libpq looks by itself: PGPASSWORD,
// PGPASSFILE and its other variables. Nothing that is shown to people has them in it.
#pragma once

#include <cstddef>
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

// The settings with the servers of a list in another order, the one at place `first` (counted around) in front. libpq
// asks them one after the other, and waits for the first that does not answer for as long as it is let.
std::vector<std::pair<std::string, std::string>> with_server_first(const target& where, std::size_t first);

// Words of libpq or of the server in one line.
std::string one_line(std::string_view message);

}  // namespace onceward::postgres
