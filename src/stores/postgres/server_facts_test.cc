#include "stores/postgres/server_facts.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "stores/postgres/schema.h"
#include "stores/postgres/server_error.h"

namespace onceward::postgres {
namespace {

server_facts sound() {
  return {.version = "15.1",
          .in_recovery = false,
          .read_only = false,
          .fsync = true,
          .full_page_writes = true,
          .synchronous_commit = "on",
          .standby_names = "",
          .system_identifier = "7",
          .timeline = "00000001",
          .is_logged = true};
}

// The setting that the operator is told to change.
void expect_objection(const server_facts& facts, durability level, std::string_view about) {
  const auto told = objection_to(facts, level);
  ASSERT_TRUE(told) << about;
  EXPECT_NE(told->find(about), std::string::npos) << *told;
}

TEST(server_facts, are_read_from_the_row_that_asks_for_them) {
  const std::array<column_view, server_facts_columns> row{"15.1",  "f",  "off", "on",       "on",
                                                          "local", "s1", "7",   "00000002", "t"};
  const auto facts = read_server_facts(row);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->synchronous_commit, "local");
  EXPECT_EQ(facts->standby_names, "s1");
  EXPECT_EQ(facts->timeline, "00000002");
  EXPECT_FALSE(objection_to(*facts, durability::synced));
  EXPECT_FALSE(read_server_facts(std::span(row).first(3)));
}

TEST(server_facts, of_a_sound_server_meet_no_objection) {
  EXPECT_FALSE(objection_to(sound(), durability::synced));
  server_facts with_standby = sound();
  with_standby.standby_names = "s1";
  EXPECT_FALSE(objection_to(with_standby, durability::replicated));
  with_standby.synchronous_commit = "remote_apply";
  EXPECT_FALSE(objection_to(with_standby, durability::replicated));
}

TEST(server_facts, name_what_loses_acknowledged_records) {
  server_facts facts = sound();
  facts.fsync = false;
  expect_objection(facts, durability::synced, "fsync = on");
  facts = sound();
  facts.full_page_writes = false;
  expect_objection(facts, durability::synced, "full_page_writes = on");
  facts = sound();
  facts.synchronous_commit = "off";
  expect_objection(facts, durability::synced, "synchronous_commit = on");
  facts = sound();
  facts.is_logged = false;
  expect_objection(facts, durability::synced, "SET LOGGED");
  expect_objection(sound(), durability::replicated, "synchronous_standby_names");
  facts = sound();
  facts.standby_names = "s1";
  facts.synchronous_commit = "local";
  expect_objection(facts, durability::replicated, "synchronous_commit = on");
}

TEST(server_facts, name_what_takes_no_writes) {
  server_facts facts = sound();
  facts.read_only = true;
  expect_objection(facts, durability::synced, "default_transaction_read_only");
  facts.in_recovery = true;
  expect_objection(facts, durability::synced, "target_session_attrs");
}

TEST(server_identity, tells_a_server_from_what_it_was_before_a_promotion) {
  const server_identity before = identity_of(sound());
  server_identity after = before;
  after.timeline = "00000002";
  EXPECT_TRUE(is_past_of(before, after));
  EXPECT_FALSE(is_past_of(after, before));
  EXPECT_FALSE(is_past_of(before, before));
  EXPECT_NE(before, after);
  after.system_identifier = "8";
  EXPECT_FALSE(is_past_of(before, after));
  EXPECT_EQ(to_string(after), "8, timeline 00000002");
}

TEST(schema_version, that_is_not_ours_names_the_command) {
  EXPECT_FALSE(objection_to_schema(schema_version));
  EXPECT_NE(objection_to_schema(std::nullopt)->find("onceward store migrate"), std::string::npos);
  EXPECT_NE(objection_to_schema(schema_version + 1)->find("onceward store migrate"), std::string::npos);
}

TEST(server_error, says_what_to_do) {
  EXPECT_EQ(judge_error("40P01").what_to_do, remedy::send_again);
  EXPECT_EQ(judge_error("23514").what_to_do, remedy::add_day);
  EXPECT_EQ(judge_error("25006").what_to_do, remedy::reconnect);
  EXPECT_EQ(judge_error("57P01").what_to_do, remedy::reconnect);
  EXPECT_EQ(judge_error("42P01").reason, errc::version);
  EXPECT_EQ(judge_error("53100").reason, errc::full);
  EXPECT_EQ(judge_error("57014").reason, errc::timeout);
  EXPECT_EQ(judge_error("XX001").reason, errc::corrupt);
  EXPECT_EQ(judge_error("").reason, errc::unavailable);
}

TEST(server_error, knows_the_warning_of_a_commit_that_no_standby_acknowledged) {
  // As PostgreSQL 15 sends it when the wait is cancelled, and when its session is ended.
  EXPECT_TRUE(is_unacknowledged_commit("01000", "SyncRepWaitForLSN"));
  EXPECT_TRUE(is_unacknowledged_commit("57P01", "SyncRepWaitForLSN"));
  // Where something between takes the function away, a warning of no state of its own may be this one.
  EXPECT_TRUE(is_unacknowledged_commit("01000", ""));
  EXPECT_TRUE(is_unacknowledged_commit("57014", ""));
  EXPECT_FALSE(is_unacknowledged_commit("01000", "exec_stmt_raise"));
  EXPECT_FALSE(is_unacknowledged_commit("00000", ""));
}

}  // namespace
}  // namespace onceward::postgres
