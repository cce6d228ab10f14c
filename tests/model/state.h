// One state of the whole: what every gateway, the store, the network between them, the upstream and the callers hold,
// and what the checks must remember of the past. A plain value of a few hundred bytes.
//
// Nothing in it has a place of its own: exchanges, callers and messages are kept sorted, and exchanges are named in the
// order in which they began. States that differ only in which of several equal callers is which are therefore one.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "tests/model/answers.h"
#include "tests/model/scenario.h"
#include "tests/model/vocabulary.h"

namespace onceward::model {

constexpr std::size_t exchanges_max = 6;
constexpr std::size_t callers_max = 4;
constexpr std::size_t grants_max = 12;
constexpr std::size_t stragglers_max = 4;
constexpr std::size_t keys_max = 2;

// Where a command of an exchange is.
enum class mail : std::uint8_t { none, command, reply };

enum class waits_for : std::uint8_t { nothing, attempt, probe };

constexpr std::uint16_t never = 0xffff;

// An exchange and what is under way for it.
struct exchange_slot {
  std::uint32_t machine;
  std::uint32_t letter;   // The command on its way to the store, or the reply on its way back.
  std::uint32_t renewal;  // The same, of a renewal.
  std::uint32_t wake;     // The end of an attempt that it is about to be told; 0 for none.
  std::uint16_t deadline_ms;
  answer_tag heard;  // What the upstream answered.
  mail letter_at;
  mail renewal_at;
  std::uint8_t name;  // 1 for the first exchange of the run.
  std::uint8_t gateway;
  std::uint8_t kind;     // Of request.
  bool listened_to;      // Its client waits for the answer.
  std::uint8_t attempt;  // The fence under which it is at the upstream; 0 for none.
  waits_for waits;
  bool leads_probe;
  bool asks;             // The upstream's status URL.
  std::uint8_t earlier;  // Grants before it began.
  std::uint8_t unused;
};

// Whether a request has taken effect is settled when somebody sees it, not before: until then both are true.
enum class effect : std::uint8_t {
  none,      // Nothing was sent, or what was sent came to nothing and will.
  possible,  // Sent; it has taken effect, or may, or not.
  done,
};

// What the checks remember of the grant with fence n, at place n - 1.
struct grant_history {
  owner_name owner;
  std::uint8_t kind;
  effect at_upstream;
  bool forwarded;
  bool past;  // Its record has expired: what happens under the key now is another operation.
};

// What the checks remember of a key.
struct key_history {
  answer_tag recorded;         // The first result in the record that is kept now.
  answer_tag recorded_before;  // In the one before it, which has expired; replies about it may be on their way.
  std::int16_t keep_until;     // In ticks of the store: not to be forgotten before.
  bool kept;
  std::uint8_t unused;
};

struct state {
  std::uint32_t table;
  std::uint8_t now;  // Gateways' ticks.
  std::int8_t store_ahead;
  std::uint8_t exchanges_begun;
  std::uint8_t gateways_used;
  std::array<std::uint8_t, (bounded_count + 3) / 4 * 4> left;  // Of each that is bounded.
  std::array<key_history, keys_max> keys;
  std::uint8_t exchange_count;
  std::uint8_t caller_count;
  std::uint8_t grant_count;
  std::uint8_t straggler_count;
  std::array<exchange_slot, exchanges_max> exchanges;
  std::array<std::uint8_t, callers_max> callers;  // The kinds of those who have no answer and no request under way.
  std::array<grant_history, grants_max> grants;
  std::array<std::uint32_t, stragglers_max> stragglers;  // Commands in the network that nobody waits for any more.

  int store_now() const { return now + store_ahead; }
  std::uint8_t& budget(bounded what) { return left[static_cast<std::size_t>(what)]; }
  std::uint8_t budget(bounded what) const { return left[static_cast<std::size_t>(what)]; }
};
// Bytes of states are compared, so there is no padding.
static_assert(std::has_unique_object_representations_v<state>);

constexpr std::size_t packed_bytes_max = sizeof(state);

// Writes what is in use of a state, and reads it back. The bytes are the state's identity.
std::size_t pack(const state& from, std::byte* to);
state unpack(const std::byte* from);

// Brings the state into its one order.
void sort(state& what);

}  // namespace onceward::model
