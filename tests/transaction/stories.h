// What one transaction promises, whatever the database: typed tests over a `database` that says how it is spoken to.
//
//   database()                       a connection of its own; the table `effect (what text)` is there and empty
//   database(other)                  another one to the same data
//   transaction_type, connection()   the class under test and what it takes
//   secret(), run(sql), value(sql)   run() and value() fail the test on an error; try_run() says whether it worked
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "onceward/transaction.h"

namespace onceward::transaction {

struct asked {
  std::string principal = "alice";
  std::string key = "key-1";
  std::string body = R"({"amount":1})";
};

inline identity identity_of(const identifier& rules, const asked& what) {
  const std::array fields{field_view{"Authorization", what.principal}, field_view{"Idempotency-Key", what.key},
                          field_view{"Content-Type", "application/json"}};
  return rules.identify({"POST", "/orders", fields, what.body}).value();
}

inline response created() {
  return {201, {{"Content-Type", "text/plain"}, {"Location", "/orders/1"}}, "made"};
}

inline rules short_lease() {
  rules chosen;
  chosen.lease = std::chrono::milliseconds{1};
  return chosen;
}

template <typename Database>
class one_transaction : public testing::Test {
 public:
  Database data;

  identifier make(const rules& chosen = {}) { return identifier::make(data.secret(), chosen).value(); }

  std::string effects() { return data.value("SELECT count(*) FROM effect"); }

  // What begin() says once nobody holds a lease any more. The transaction it said it in is open.
  static begun begin_after_lease(Database& in, typename Database::transaction_type& with, const identity& who) {
    for (;;) {
      in.run(Database::begin);
      begun result = with.begin(who);
      if (!std::holds_alternative<in_flight>(result)) return result;
      in.run("ROLLBACK");
    }
  }

  // A whole request: one effect if it is new.
  static begun serve(Database& in, const identifier& rules, const asked& what) {
    typename Database::transaction_type with(in.connection(), rules);
    in.run(Database::begin);
    begun result = with.begin(identity_of(rules, what));
    if (auto* attempt = std::get_if<run>(&result)) {
      in.run("INSERT INTO effect VALUES ('" + what.principal + "')");
      EXPECT_TRUE(with.complete(*attempt, created()));
      EXPECT_TRUE(with.commit());
    } else {
      in.run("ROLLBACK");
    }
    return result;
  }
};

TYPED_TEST_SUITE_P(one_transaction);

TYPED_TEST_P(one_transaction, is_replayed_once_it_is_committed) {
  const identifier rules = this->make();
  ASSERT_TRUE(std::holds_alternative<run>(this->serve(this->data, rules, {})));
  const begun again = this->serve(this->data, rules, {});
  ASSERT_TRUE(std::holds_alternative<replayed>(again));
  EXPECT_EQ(std::get<replayed>(again).answer, created());
  EXPECT_TRUE(std::get<replayed>(again).body_kept);
  EXPECT_EQ(this->effects(), "1");
}

TYPED_TEST_P(one_transaction, leaves_nothing_when_it_is_rolled_back) {
  const identifier rules = this->make();
  typename TypeParam::transaction_type with(this->data.connection(), rules);
  this->data.run(TypeParam::begin);
  const begun first = with.begin(identity_of(rules, {}));
  ASSERT_TRUE(std::holds_alternative<run>(first));
  this->data.run("INSERT INTO effect VALUES ('x')");
  ASSERT_TRUE(with.complete(std::get<run>(first), created()));
  this->data.run("ROLLBACK");
  EXPECT_EQ(this->effects(), "0");
  const begun second = this->serve(this->data, rules, {});
  ASSERT_TRUE(std::holds_alternative<run>(second));
  EXPECT_EQ(std::get<run>(second).attempt_number, 1);
}

TYPED_TEST_P(one_transaction, refuses_another_request_under_the_key_and_changes_nothing) {
  const identifier rules = this->make();
  this->serve(this->data, rules, {});
  const begun other = this->serve(this->data, rules, {.body = R"({"amount":2})"});
  ASSERT_TRUE(std::holds_alternative<mismatch>(other));
  EXPECT_THAT(std::get<mismatch>(other).differing, testing::ElementsAre("body"));
  EXPECT_TRUE(std::holds_alternative<replayed>(this->serve(this->data, rules, {})));
  EXPECT_EQ(this->effects(), "1");
}

TYPED_TEST_P(one_transaction, keeps_principals_apart) {
  const identifier rules = this->make();
  EXPECT_TRUE(std::holds_alternative<run>(this->serve(this->data, rules, {.principal = "alice"})));
  EXPECT_TRUE(std::holds_alternative<run>(this->serve(this->data, rules, {.principal = "bob"})));
  EXPECT_EQ(this->effects(), "2");
}

TYPED_TEST_P(one_transaction, of_twenty_duplicates_at_once_runs_one) {
  const identifier rules = this->make();
  std::atomic<int> runs = 0;
  std::atomic<int> replays = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 20; ++i) {
    callers.emplace_back([&] {
      TypeParam own(this->data);
      const begun result = this->serve(own, rules, {});
      if (std::holds_alternative<run>(result)) ++runs;
      if (std::holds_alternative<replayed>(result)) ++replays;
    });
  }
  for (std::thread& each : callers)
    each.join();
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(replays, 19);
  EXPECT_EQ(this->effects(), "1");
}

TYPED_TEST_P(one_transaction, can_record_an_error_after_going_back_to_a_savepoint) {
  const identifier rules = this->make();
  typename TypeParam::transaction_type with(this->data.connection(), rules);
  this->data.run(TypeParam::begin);
  const begun first = with.begin(identity_of(rules, {}));
  ASSERT_TRUE(std::holds_alternative<run>(first));
  this->data.run("SAVEPOINT business");
  this->data.run("INSERT INTO effect VALUES ('x')");
  EXPECT_FALSE(this->data.try_run("INSERT INTO nowhere VALUES (1)"));
  this->data.run("ROLLBACK TO SAVEPOINT business");
  ASSERT_TRUE(with.complete(std::get<run>(first), {409, {}, "sold out"}));
  ASSERT_TRUE(with.commit());
  const begun again = this->serve(this->data, rules, {});
  ASSERT_TRUE(std::holds_alternative<replayed>(again));
  EXPECT_EQ(std::get<replayed>(again).answer, (response{409, {}, "sold out"}));
  EXPECT_EQ(this->effects(), "0");
}

TYPED_TEST_P(one_transaction, goes_on_after_its_last_phase) {
  const identifier rules = this->make(short_lease());
  const identity who = identity_of(rules, {});
  typename TypeParam::transaction_type with(this->data.connection(), rules);
  run straggler;
  {
    // A phase may take longer than this lease: then it is refused, definitely, and begun again.
    begun first = this->begin_after_lease(this->data, with, who);
    while (!with.save(std::get<run>(first), "charged")) {
      this->data.run("ROLLBACK");
      first = this->begin_after_lease(this->data, with, who);
      ASSERT_TRUE(std::holds_alternative<run>(first));
    }
    ASSERT_TRUE(with.commit());
    straggler = std::get<run>(first);
  }
  TypeParam elsewhere(this->data);
  const identifier patient = this->make();
  typename TypeParam::transaction_type there(elsewhere.connection(), patient);
  const begun further = this->begin_after_lease(elsewhere, there, who);
  ASSERT_TRUE(std::holds_alternative<run>(further));
  EXPECT_EQ(std::get<run>(further).phase, 1U);
  EXPECT_EQ(std::get<run>(further).state, "charged");
  EXPECT_EQ(std::get<run>(further).attempt_number, straggler.attempt_number + 1);
  EXPECT_GT(std::get<run>(further).token, straggler.token);
  EXPECT_EQ(patient.child_key(std::get<run>(further).who, "charge"), rules.child_key(straggler.who, "charge"));
  run second = std::get<run>(further);
  ASSERT_TRUE(there.save(second, "shipped"));
  ASSERT_TRUE(there.commit());

  // The process that was thought gone comes back.
  this->data.run(TypeParam::begin);
  const done resumed = with.resume(straggler);
  ASSERT_FALSE(resumed);
  EXPECT_EQ(resumed.error().kind, failure_kind::fenced);
  this->data.run("ROLLBACK");
  this->data.run(TypeParam::begin);
  EXPECT_FALSE(with.complete(straggler, created()));
  this->data.run("ROLLBACK");
  // And a duplicate meanwhile sees that it runs.
  this->data.run(TypeParam::begin);
  EXPECT_TRUE(std::holds_alternative<in_flight>(with.begin(who)));
  this->data.run("ROLLBACK");

  elsewhere.run(TypeParam::begin);
  ASSERT_TRUE(there.resume(second));
  ASSERT_TRUE(there.complete(second, created()));
  ASSERT_TRUE(there.commit());
  EXPECT_TRUE(std::holds_alternative<replayed>(this->serve(this->data, rules, {})));
}

TYPED_TEST_P(one_transaction, that_committed_a_claim_and_no_recovery_point_is_unknown) {
  const identifier rules = this->make(short_lease());
  typename TypeParam::transaction_type with(this->data.connection(), rules);
  this->data.run(TypeParam::begin);
  ASSERT_TRUE(std::holds_alternative<run>(with.begin(identity_of(rules, {}))));
  ASSERT_TRUE(with.commit());
  EXPECT_TRUE(std::holds_alternative<unknown>(this->begin_after_lease(this->data, with, identity_of(rules, {}))));
  this->data.run("ROLLBACK");
}

TYPED_TEST_P(one_transaction, derives_child_keys_of_the_parent_the_call_site_and_the_ordinal) {
  const identifier rules = this->make();
  const identity parent = identity_of(rules, {});
  EXPECT_EQ(rules.child_key(parent, "charge", 1), rules.child_key(identity_of(rules, {}), "charge", 1));
  EXPECT_NE(rules.child_key(parent, "charge", 1), rules.child_key(parent, "charge", 2));
  EXPECT_NE(rules.child_key(parent, "charge", 1), rules.child_key(parent, "mail", 1));
  EXPECT_NE(rules.child_key(parent, "charge", 1), rules.child_key(identity_of(rules, {.key = "k2"}), "charge", 1));
  EXPECT_EQ(rules.child_key(parent, "charge").size(), 32U);
}

TYPED_TEST_P(one_transaction, puts_messages_into_the_outbox_or_none) {
  const identifier rules = this->make();
  typename TypeParam::transaction_type with(this->data.connection(), rules);
  for (const char* end : {"ROLLBACK", "COMMIT"}) {
    this->data.run(TypeParam::begin);
    const begun first = with.begin(identity_of(rules, {}));
    ASSERT_TRUE(std::holds_alternative<run>(first));
    ASSERT_TRUE(with.send(std::get<run>(first), "orders", std::string("made\0it", 7)));
    ASSERT_TRUE(with.complete(std::get<run>(first), created()));
    this->data.run(end);
  }
  this->data.run(TypeParam::begin);
  const auto taken = take_from_outbox(this->data.connection(), 10);
  ASSERT_TRUE(taken);
  ASSERT_EQ(taken->size(), 1U);
  EXPECT_EQ(taken->front().topic, "orders");
  EXPECT_EQ(taken->front().payload, std::string("made\0it", 7));
  ASSERT_TRUE(delete_from_outbox(this->data.connection(), *taken));
  this->data.run("COMMIT");
  this->data.run(TypeParam::begin);
  EXPECT_TRUE(take_from_outbox(this->data.connection(), 10)->empty());
  this->data.run("ROLLBACK");
}

TYPED_TEST_P(one_transaction, refuses_what_it_cannot_keep) {
  const identifier rules = this->make();
  typename TypeParam::transaction_type with(this->data.connection(), rules);
  EXPECT_TRUE(std::holds_alternative<failure>(with.begin(identity_of(rules, {}))));  // No transaction was begun.
  this->data.run(TypeParam::begin);
  const begun first = with.begin(identity_of(rules, {}));
  ASSERT_TRUE(std::holds_alternative<run>(first));
  run attempt = std::get<run>(first);
  EXPECT_EQ(with.complete(attempt, {100, {}, ""}).error().kind, failure_kind::refused);
  EXPECT_EQ(with.complete(attempt, {200, {{"a b", "c"}}, ""}).error().kind, failure_kind::refused);
  EXPECT_EQ(with.complete(attempt, {200, {{"a", "b\r\nc: d"}}, ""}).error().kind, failure_kind::refused);
  EXPECT_EQ(with.save(attempt, std::string(state_bytes_max + 1, 'x')).error().kind, failure_kind::refused);
  EXPECT_EQ(with.send(attempt, "t", std::string(outbox_payload_bytes_max + 1, 'x')).error().kind,
            failure_kind::refused);
  EXPECT_TRUE(with.complete(attempt, created()));
  this->data.run("ROLLBACK");

  EXPECT_FALSE(identifier::make("", {}));
  EXPECT_FALSE(identifier::make("secret", {.profile = "nobody's"}));
  EXPECT_FALSE(identifier::make("secret", {.lock_wait = std::chrono::milliseconds{0}}));
  EXPECT_FALSE(rules.identify({"POST", "/orders", {}, ""}));
}

REGISTER_TYPED_TEST_SUITE_P(one_transaction, is_replayed_once_it_is_committed, leaves_nothing_when_it_is_rolled_back,
                            refuses_another_request_under_the_key_and_changes_nothing, keeps_principals_apart,
                            of_twenty_duplicates_at_once_runs_one, can_record_an_error_after_going_back_to_a_savepoint,
                            goes_on_after_its_last_phase, that_committed_a_claim_and_no_recovery_point_is_unknown,
                            derives_child_keys_of_the_parent_the_call_site_and_the_ordinal,
                            puts_messages_into_the_outbox_or_none, refuses_what_it_cannot_keep);

}  // namespace onceward::transaction
