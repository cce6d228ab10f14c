// The scripts that the store runs on the server: one for each command, on the one key that holds its record, so that a
// cluster carries them out while it moves keys about.
//
// Each decides by the server's clock, read once, and changes the record only where core/record.h says that its command
// does. It returns whether it did, the time, and the record as it found it or, of a claim that it granted, the
// attempt's number, its fence and the end of its lease; the rules are applied to what was found by core/verdict.h. A
// script runs alone: it never meets a concurrent change.
//
// Outside a cluster, most claims and completions go many at once. These two scripts do what nearly all of them need,
// and change nothing else: they grant claims of keys that are absent, and complete attempts that run. What the commands
// of one script share is sent once: lease and retention. Each returns a list. For claims: the time, the fence of the
// first (each further one has the next) and the end of their leases; then of each 1, the record that was there, or 0.
// For completions: of each whether it was done. What they left alone is asked for again by its own script, and so is
// everything after an error.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace onceward::redis {

enum class script {
  claim,
  claim_many,
  renew,
  complete,
  complete_many,
  give_up,  // Completes with an unknown outcome.
  release,
  find,
  put,    // A response, beside its record.
  drop,   // A record that has expired.
  raise,  // The fence that every later grant is to be above.
  keep,   // The secret that all have agreed on.
};

inline constexpr std::array all_scripts{script::claim,         script::claim_many, script::renew,   script::complete,
                                        script::complete_many, script::give_up,    script::release, script::find,
                                        script::put,           script::drop,       script::raise,   script::keep};

std::string text_of(script which);

// How a record begins, and what its state is called in it.
inline constexpr int record_version = 1;
enum class stored_state : unsigned char { in_flight = 0, unknown = 1, completed = 2, released = 3 };
enum class stored_response : unsigned char {
  none = 0,
  inside = 1,  // The record ends with it.
  beside = 2,  // The record ends with the name of the key that holds it.
};

// What is kept beside the records.
inline constexpr std::string_view fence_name = "onceward:fence";
inline constexpr std::string_view secret_name = "onceward:deployment";
inline constexpr std::string_view contents_name = "onceward:contents";

// The channel on which gateways tell each other whose attempts ended.
inline constexpr std::string_view wake_up_channel = "onceward:ended";

}  // namespace onceward::redis
