// Everything that the parts of a state can speak of: requests, commands, replies, answers, the ends of attempts. Each
// has a number, and the facts that the checks need are read from the real values once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "core/exchange.h"
#include "tests/model/answers.h"
#include "tests/model/pool.h"
#include "tests/model/scenario.h"

namespace onceward::model {

// Time passes in steps of this length. Shorter delays of the machine end with the step.
constexpr std::chrono::milliseconds tick{1'000};

// Which attempt: the exchange's name and how often it had claimed before. The attempt id says the same.
using owner_name = std::uint16_t;
constexpr owner_name no_owner = 0;

attempt_id first_attempt_id(unsigned exchange_name);
owner_name owner_of(const attempt_id& id);
std::string to_string(owner_name owner);

struct command_facts {
  std::size_t type = 0;  // Index in `command`.
  unsigned key = 0;
  unsigned kind = 0;  // Of a claim.
  owner_name owner = no_owner;
  owner_name over_unknown = no_owner;  // Of a claim.
  answer_tag answer = 0;               // Of a completion; 0 for an unknown outcome.
};

struct reply_facts {
  std::size_t type = 0;   // Index in `reply`.
  bool definite = false;  // Of a failure.
  unsigned token = 0;
  unsigned attempt_number = 0;
  unsigned kind = 0;  // Of the request that owns the record, or one alike.
  owner_name owner = no_owner;
  answer_tag response = 0;
  answer_tag tombstone = 0;
};

template <typename T, typename Variant>
struct index_in;
template <typename T, typename... Each>
struct index_in<T, std::variant<Each...>> {
  static constexpr std::size_t value = [] {
    std::size_t at = 0;
    (void)((std::is_same_v<T, Each> || (++at, false)) || ...);
    return at;
  }();
};
template <typename T>
constexpr std::size_t command_type = index_in<T, command>::value;
template <typename T>
constexpr std::size_t reply_type = index_in<T, reply>::value;

class vocabulary {
 public:
  explicit vocabulary(const scenario& about);

  // The real identity of a request of this kind: scope, record key and fingerprint are those of the gateway.
  struct identity {
    unsigned key;
    record_key record;
    shared_bytes fingerprint;
    std::string text;
  };
  const identity& kind(unsigned number) const { return kinds_[number]; }
  unsigned key_count() const { return key_count_; }
  // Whether a record cannot tell the two requests apart.
  bool alike(unsigned left, unsigned right) const { return *kinds_[left].fingerprint == *kinds_[right].fingerprint; }

  std::uint32_t add(const command& value);
  std::uint32_t add(const reply& value);
  std::uint32_t add(const core::ended_attempt& value) { return ends_.add(value); }

  const command& command_of(std::uint32_t id) const { return commands_[id]; }
  const reply& reply_of(std::uint32_t id) const { return replies_[id]; }
  const core::ended_attempt& end_of(std::uint32_t id) const { return ends_[id]; }
  const command_facts& facts_of_command(std::uint32_t id) const { return command_facts_[id - 1]; }
  const reply_facts& facts_of_reply(std::uint32_t id) const { return reply_facts_[id - 1]; }

  std::string text_of_command(std::uint32_t id) const;
  std::string text_of_reply(std::uint32_t id) const;
  std::string text_of_answer(answer_tag tag) const;

  answer_book& answers() { return answers_; }

 private:
  unsigned key_number(const record_key& key) const;
  unsigned kind_with(unsigned key, const shared_bytes& fingerprint) const;

  std::vector<identity> kinds_;
  unsigned key_count_ = 0;
  answer_book answers_;
  pool<command> commands_;
  pool<reply> replies_;
  pool<core::ended_attempt> ends_;
  std::vector<command_facts> command_facts_;
  std::vector<reply_facts> reply_facts_;
};

}  // namespace onceward::model
