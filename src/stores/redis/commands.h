// The requests that carry a command of one key out.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
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
  std::string sender;  // Names this gateway in what it tells others; of eight bytes.
  bool waits_for_replicas = false;
};

// How the server names the scripts: the digests that it gave when they were loaded.
using script_names = std::map<script, std::string>;

// A script of the store's own business: its name, the key, and what follows.
struct encoded {
  script which;
  std::vector<std::string> arguments;
};

// Each adds a script: by its name, or with its text (`names` is null), for a server that does not know it.
//
// `floor`: every fence that is granted is above it.
void add_command(requests& into, const command& what, const encoding& how, std::uint64_t floor,
                 const script_names* names);
// Several claims, or several completions, of different keys, of which each may share a script with each other.
void add_commands(requests& into, std::span<const command* const> what, std::uint64_t floor, const script_names* names);
void add_script(requests& into, const encoded& what, const script_names* names);

// Whether a script for many commands carries it out: a claim that takes nothing over, or a completion whose outcome is
// known and lies in its record.
bool may_go_with_others(const command& what);
// Whether two of those may go in the same one: it has one lease and one retention for all.
bool may_share_script(const command& one, const command& other);

// Whether it is a completion whose response lies beside the record, and has to be put there before.
bool has_response_beside(const command& what);
// What puts it there.
void add_response(requests& into, const complete& what, const script_names* names);

// Whether it may end an attempt, so that others are told.
bool may_end_attempt(const command& what);

// Roughly what a command weighs on the wire.
std::size_t wire_bytes(const command& what);

// What others are told of records whose attempts ended, and what of it can be read: nothing for word of `sender`'s own,
// and for what is no such word.
std::string word_of_ends(const std::string& sender, std::span<const record_key> keys);
std::vector<record_key> keys_told(std::string_view word, const std::string& sender);

}  // namespace onceward::redis
