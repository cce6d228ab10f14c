// Where the servers are: the URLs of the configuration, taken apart, and the credentials. Passwords come from a URL, a
// file, or the environment: ONCEWARD_REDIS_PASSWORD, or REDISCLI_AUTH as for redis-cli. Nothing that is shown to people
// has them in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "stores/redis/slots.h"

namespace onceward::redis {

// How the primaries are found among the servers that are named.
enum class topology {
  single,    // One of those that are named.
  sentinel,  // Those that are named know it.
  cluster,   // Those that are named, and others, share the slots.
};

struct target {
  std::vector<address> nodes;  // At least one.
  topology kind = topology::single;
  std::string primary_name;  // By which sentinels know it.
  std::string user;          // Empty for the default one.
  std::string password;      // Empty for none.
  std::uint32_t database = 0;
  bool encrypted = false;
  std::string ca_file;      // Empty: those that the system trusts.
  std::string description;  // "HOST:PORT", of all.
};

struct target_words {
  std::vector<std::string> urls = {};
  std::string sentinel = {};  // The name of the primary, where the URLs are those of sentinels.
  bool cluster = false;
  std::string password_file = {};
  std::string ca_file = {};
};

// The error is a sentence that does not repeat a URL.
tl::expected<target, std::string> parse_target(const target_words& given);

}  // namespace onceward::redis
