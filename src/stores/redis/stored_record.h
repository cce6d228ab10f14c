// What the scripts return, and the records in it, as values of ours.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/verdict.h"
#include "onceward/result.h"
#include "onceward/store.h"
#include "stores/redis/scripts.h"
#include "stores/redis/value.h"

namespace onceward::redis {

using core::found_record;

struct stored_record {
  core::record kept;   // Without its response where that lies beside it.
  std::string beside;  // The name of the key that holds the response; empty for none.
};

// `corrupt` for bytes that are no record, `version` for one of another version.
result<stored_record> read_record(std::string_view bytes);

// The beginning of a record, which tells enough to count it.
struct record_header {
  stored_state state;
  wall_time ended_at;
  wall_time expires_at;
};
inline constexpr std::size_t record_header_bytes = 54;
std::optional<record_header> read_header(std::string_view bytes);

struct script_reply {
  bool changed;
  wall_time now;
  // Of a grant: only its attempt's number, its fence and the end of its lease.
  std::optional<stored_record> record;
};
result<script_reply> read_script_reply(const value& told);
// Of the script for many claims, in their order; nothing for one that it left alone, and for all where it is no such
// reply to so many.
std::vector<std::optional<script_reply>> read_replies_to_claims(const value& told, std::size_t claims);

// The keys of a record and of its response. What is in braces decides the slot: they lie together.
std::string name_of(const record_key& key);
// The same without memory of its own to ask for.
class record_name {
 public:
  explicit record_name(const record_key& key);
  std::string_view text() const { return {text_.data(), text_.size()}; }

 private:
  static constexpr std::string_view begin_ = "onceward:{";
  std::array<char, begin_.size() + 2 * sizeof(record_key::bytes) + 1> text_;
};
inline constexpr std::string_view record_names = "onceward:{*}";
std::optional<record_key> key_in(std::string_view name);

// A result of an attempt has a name of its own, so that nothing which is told later takes its place.
std::string response_name(const record_key& key, const attempt_id& attempt, std::string_view response);

}  // namespace onceward::redis
