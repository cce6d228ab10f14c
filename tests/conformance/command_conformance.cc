// Every command in every state, and that each may be submitted again.

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "store_conformance.h"

namespace onceward::conformance {
namespace {

// Each record under test belongs to attempt 1 of its key; 2 is another attempt that asks, 3 one that never was.
std::uint64_t owner_of(std::uint64_t key) {
  return key * 10 + 1;
}
std::uint64_t other_of(std::uint64_t key) {
  return key * 10 + 2;
}
std::uint64_t nobody_of(std::uint64_t key) {
  return key * 10 + 3;
}

struct prepared_state {
  const char* name;
  std::vector<command (*)(std::uint64_t key)> script;
  bool lease_runs_out = false;
};

command owner_claims(std::uint64_t key) {
  return claim_of(key, owner_of(key));
}
command owner_completes(std::uint64_t key) {
  return completed_of(key, owner_of(key));
}
command owner_releases(std::uint64_t key) {
  return release_of(key, owner_of(key));
}
command owner_gives_up_as_unknown(std::uint64_t key) {
  return unknown_of(key, owner_of(key));
}
command owner_completes_without_body(std::uint64_t key) {
  complete what = completed_of(key, owner_of(key));
  std::get<outcome_completed>(what.outcome).response = nullptr;
  return what;
}

const std::vector<prepared_state>& states() {
  static const std::vector<prepared_state> all{
      {"absent", {}},
      {"in flight", {owner_claims}},
      {"completed", {owner_claims, owner_completes}},
      {"completed without its body", {owner_claims, owner_completes_without_body}},
      {"released", {owner_claims, owner_releases}},
      {"unknown", {owner_claims, owner_gives_up_as_unknown}},
      {"unknown by its lease", {owner_claims}, true},
  };
  return all;
}

// What is expected of a command: the kind of its reply and the kind of find's reply afterwards.
struct expected {
  const char* answer;
  const char* after;
};

struct command_row {
  const char* name;
  std::function<command(std::uint64_t key)> make;
  std::array<expected, 7> of;  // In the order of states().
};

constexpr expected grants{"claim_granted", "record_in_flight"};
constexpr expected shows_in_flight{"record_in_flight", "record_in_flight"};
constexpr expected shows_completed{"record_completed", "record_completed"};
constexpr expected shows_unknown{"record_unknown", "record_unknown"};
constexpr expected fenced_absent{"fenced", "record_absent"};
constexpr expected fenced_in_flight{"fenced", "record_in_flight"};
constexpr expected fenced_completed{"fenced", "record_completed"};
constexpr expected fenced_released{"fenced", "record_released"};
constexpr expected fenced_unknown{"fenced", "record_unknown"};
constexpr expected applied_in_flight{"applied", "record_in_flight"};
constexpr expected applied_completed{"applied", "record_completed"};
constexpr expected applied_released{"applied", "record_released"};
constexpr expected applied_unknown{"applied", "record_unknown"};

constexpr std::array<expected, 7> fenced_everywhere{fenced_absent,    fenced_in_flight, fenced_completed,
                                                    fenced_completed, fenced_released,  fenced_unknown,
                                                    fenced_unknown};

// clang-format off
const std::vector<command_row>& rows() {
  static const std::vector<command_row> all{
      {"the owner's claim", owner_claims,
       {grants, grants, shows_completed, shows_completed, fenced_released, shows_unknown, shows_unknown}},
      {"another's claim", [](std::uint64_t key) { return claim_of(key, other_of(key)); },
       {grants, shows_in_flight, shows_completed, shows_completed, grants, shows_unknown, shows_unknown}},
      {"a takeover from the owner", [](std::uint64_t key) { return takeover_of(key, other_of(key), owner_of(key)); },
       {grants, shows_in_flight, shows_completed, shows_completed, grants, grants, grants}},
      {"a takeover from somebody else",
       [](std::uint64_t key) { return takeover_of(key, other_of(key), nobody_of(key)); },
       {grants, shows_in_flight, shows_completed, shows_completed, grants, shows_unknown, shows_unknown}},
      {"the owner's renewal", [](std::uint64_t key) { return renew_of(key, owner_of(key)); },
       {fenced_absent, applied_in_flight, fenced_completed, fenced_completed,
        fenced_released, shows_unknown, shows_unknown}},
      {"another's renewal", [](std::uint64_t key) { return renew_of(key, other_of(key)); }, fenced_everywhere},
      {"the owner's completion", owner_completes,
       {fenced_absent, applied_completed, applied_completed, applied_completed,
        fenced_released, applied_completed, applied_completed}},
      {"the owner's completion without a body", owner_completes_without_body,
       {fenced_absent, applied_completed, shows_completed, applied_completed,
        fenced_released, applied_completed, applied_completed}},
      {"another's completion", [](std::uint64_t key) { return completed_of(key, other_of(key)); }, fenced_everywhere},
      {"the owner's unknown outcome", owner_gives_up_as_unknown,
       {fenced_absent, applied_unknown, shows_completed, shows_completed,
        fenced_released, applied_unknown, applied_unknown}},
      {"another's unknown outcome",
       [](std::uint64_t key) { return unknown_of(key, other_of(key)); }, fenced_everywhere},
      {"the owner's release", owner_releases,
       {fenced_absent, applied_released, fenced_completed, fenced_completed,
        applied_released, applied_released, applied_released}},
      {"another's release", [](std::uint64_t key) { return release_of(key, other_of(key)); }, fenced_everywhere},
      {"a find", [](std::uint64_t key) { return find{key_of(key)}; },
       {{{"record_absent", "record_absent"}, shows_in_flight, shows_completed, shows_completed,
         {"record_released", "record_released"}, shows_unknown, shows_unknown}}},
  };
  return all;
}
// clang-format on

class every_state_and_command : public store_conformance {
 protected:
  // Calls visit(row, state number, key) with a fresh record in each state for each command.
  void visit_all(const std::function<void(const command_row&, std::size_t, std::uint64_t)>& visit) {
    std::uint64_t key = 0;
    for (const command_row& row : rows()) {
      for (std::size_t state = 0; state < states().size(); ++state) {
        SCOPED_TRACE(std::string(row.name) + " on a record that is " + states()[state].name);
        prepare(states()[state], ++key);
        visit(row, state, key);
      }
    }
  }

 private:
  void prepare(const prepared_state& wanted, std::uint64_t key) {
    for (const auto& step : wanted.script)
      ask(step(key));
    if (wanted.lease_runs_out) advance(lease);
  }
};

TEST_P(every_state_and_command, get_the_reply_and_leave_the_state_that_the_rules_name) {
  visit_all([&](const command_row& row, std::size_t state, std::uint64_t key) {
    EXPECT_EQ(ask_kind(row.make(key)), row.of[state].answer);
    EXPECT_EQ(kind_of(ask(find{key_of(key)})), row.of[state].after);
  });
}

TEST_P(every_state_and_command, get_the_same_reply_a_second_time_and_change_nothing) {
  visit_all([&](const command_row& row, std::size_t, std::uint64_t key) {
    const std::string first = ask_text(row.make(key));
    const std::string after_first = state_of(key);
    EXPECT_EQ(ask_text(row.make(key)), first);
    EXPECT_EQ(state_of(key), after_first);
  });
}

TEST_P(every_state_and_command, change_nothing_when_they_are_not_granted_or_applied) {
  visit_all([&](const command_row& row, std::size_t state, std::uint64_t key) {
    const std::string answer = row.of[state].answer;
    if (answer == "claim_granted" || answer == "applied") return;
    const std::string before = state_of(key);
    ask(row.make(key));
    EXPECT_EQ(state_of(key), before);
  });
}

INSTANTIATE_TEST_SUITE_P(store, every_state_and_command, testing::ValuesIn(stores_under_test()), name_of_store);

TEST_P(store_conformance, tells_a_duplicate_whose_record_it_met) {
  const wall_time start = under_test().now();
  const auto granted = expect<claim_granted>(claim_of(1, 11));
  EXPECT_NE(granted.token, fence{0});
  EXPECT_EQ(granted.attempt_number, 1u);
  EXPECT_EQ(granted.lease_left, lease);

  advance(milliseconds{1'000});
  const auto met = expect<record_in_flight>(claim_of(1, 12));
  EXPECT_EQ(met.summary.attempt, attempt_of(11));
  EXPECT_EQ(met.summary.attempt_number, 1u);
  EXPECT_EQ(met.summary.token, granted.token);
  EXPECT_EQ(met.summary.first_seen, start);
  EXPECT_EQ(met.summary.ended_at, start + lease);
  EXPECT_EQ(met.lease_left, lease - milliseconds{1'000});
}

TEST_P(store_conformance, hands_a_mismatch_the_first_fingerprint_unchanged) {
  claim first = claim_of(1, 11);
  std::string every_byte;
  for (int i = 0; i < 256; ++i)
    every_byte.push_back(static_cast<char>(i));
  first.fingerprint = bytes(every_byte);
  expect<claim_granted>(first);
  EXPECT_EQ(*expect<record_in_flight>(claim_of(1, 12)).summary.fingerprint, every_byte);
  expect<applied>(completed_of(1, 11));
  EXPECT_EQ(*expect<record_completed>(claim_of(1, 13)).summary.fingerprint, every_byte);
}

TEST_P(store_conformance, keeps_an_empty_blob_apart_from_none) {
  claim first = claim_of(1, 11);
  first.fingerprint = bytes("");
  expect<claim_granted>(first);
  complete with_empty = completed_of(1, 11, "");
  std::get<outcome_completed>(with_empty.outcome).tombstone = bytes("");
  expect<applied>(with_empty);
  const auto empty = expect<record_completed>(find{key_of(1)});
  ASSERT_NE(empty.response, nullptr);
  EXPECT_EQ(*empty.response, "");
  EXPECT_EQ(*empty.tombstone, "");
  EXPECT_EQ(*empty.summary.fingerprint, "");

  expect<claim_granted>(claim_of(2, 21));
  complete without = completed_of(2, 21);
  std::get<outcome_completed>(without.outcome).response = nullptr;
  expect<applied>(without);
  EXPECT_EQ(expect<record_completed>(find{key_of(2)}).response, nullptr);
}

TEST_P(store_conformance, keeps_large_bodies_byte_for_byte) {
  constexpr std::size_t body_bytes = 1u << 20;
  make({.body_bytes_max = body_bytes + 64});
  std::string body;
  for (std::uint32_t i = 0; body.size() < body_bytes; ++i)
    body += std::to_string(i * 2654435761u);
  expect<claim_granted>(claim_of(1, 11));
  expect<applied>(completed_of(1, 11, body));
  EXPECT_EQ(*expect<record_completed>(claim_of(1, 12)).response, body);
  if (!durable()) return;
  under_test().reopen();
  EXPECT_EQ(*expect<record_completed>(claim_of(1, 12)).response, body);
}

TEST_P(store_conformance, counts_the_attempts_of_a_released_key) {
  for (std::uint32_t number = 1; number <= 5; ++number) {
    EXPECT_EQ(expect<claim_granted>(claim_of(1, number)).attempt_number, number);
    expect<applied>(release_of(1, number));
  }
  EXPECT_EQ(expect<record_released>(find{key_of(1)}).summary.attempt_number, 5u);
}

TEST_P(store_conformance, lets_a_released_key_be_claimed_with_another_payload) {
  expect<claim_granted>(claim_of(1, 11));
  expect<applied>(release_of(1, 11));
  claim other = claim_of(1, 12);
  other.fingerprint = bytes("another payload");
  expect<claim_granted>(other);
  EXPECT_EQ(*expect<record_in_flight>(claim_of(1, 13)).summary.fingerprint, "another payload");
}

TEST_P(store_conformance, keeps_the_first_outcome_of_an_attempt) {
  expect<claim_granted>(claim_of(1, 11));
  expect<applied>(completed_of(1, 11, "first"));
  EXPECT_EQ(*expect<record_completed>(completed_of(1, 11, "second")).response, "first");
  EXPECT_EQ(*expect<record_completed>(unknown_of(1, 11)).response, "first");
  EXPECT_EQ(*expect<record_completed>(find{key_of(1)}).response, "first");
}

TEST_P(store_conformance, takes_a_late_completion_out_of_unknown) {
  expect<claim_granted>(claim_of(1, 11));
  expect<applied>(unknown_of(1, 11));
  expect<applied>(completed_of(1, 11, "late"));
  EXPECT_EQ(*expect<record_completed>(find{key_of(1)}).response, "late");
}

TEST_P(store_conformance, fences_a_straggler_off_after_a_takeover) {
  expect<claim_granted>(claim_of(1, 11));
  expect<applied>(unknown_of(1, 11));
  EXPECT_EQ(expect<claim_granted>(takeover_of(1, 12, 11)).attempt_number, 2u);
  const std::string before = state_of(1);
  expect<fenced>(completed_of(1, 11));
  expect<fenced>(unknown_of(1, 11));
  expect<fenced>(renew_of(1, 11));
  expect<fenced>(release_of(1, 11));
  // Its own claim, and a takeover that lost the race, are told of the new owner.
  expect<record_in_flight>(claim_of(1, 11));
  expect<record_in_flight>(takeover_of(1, 13, 11));
  EXPECT_EQ(state_of(1), before);
}

}  // namespace
}  // namespace onceward::conformance
