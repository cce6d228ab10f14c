// The requests that carry a command of one key out.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onceward/store.h"
#include "stores/redis/request.h"
#include "stores/redis/scripts.h"

namespace onceward::redis {

// Up to so much of a response lies in its record; what is longer lies beside it, and so does what is not kept as long
// as the record is.
inline constexpr std::size_t response_inside_bytes_max = 4'096;

// What is the same for all commands of a store.
struct encoding {
  std::string sender;  // Names this gateway in what it tells others.
  bool waits_for_replicas = false;
};

// How the server names the scripts: the digests that it gave when they were loaded.
using script_names = std::map<script, std::string>;

struct encoded {
  script which;
  std::vector<std::string> arguments;  // Of the script: the key, and what follows.
};

// `floor`: every fence that is granted is above it.
encoded encode(const command& what, const encoding& how, std::uint64_t floor);

// Whether it is a completion whose response lies beside the record, and has to be put there before.
bool has_response_beside(const command& what);
// What puts it there.
encoded encode_response(const complete& what);

// By the name of the script, or with its text, for a server that does not know it.
void add_script(requests& into, script which, const std::vector<std::string>& arguments, const script_names* names);

// Roughly what a command weighs on the wire.
std::size_t wire_bytes(const command& what);

// What others are told of a record whose attempt ended, and what of it can be read: nothing for word of `sender`'s own,
// and for what is no such word.
std::string word_of_end(const std::string& sender, const record_key& key);
std::optional<record_key> key_told(std::string_view word, const std::string& sender);

}  // namespace onceward::redis
