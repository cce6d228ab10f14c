#include "stores/redis/server_facts.h"

#include <gtest/gtest.h>

#include "stores/redis/server_error.h"
#include "stores/redis/succession_log.h"

namespace onceward::redis {
namespace {

value text(std::string words) {
  return {.what = value::kind::text, .text = std::move(words), .items = {}};
}

value config(std::string sync, std::string on_rewrite) {
  return {.what = value::kind::list,
          .text = {},
          .items = {text("appendfsync"), text(std::move(sync)), text("no-appendfsync-on-rewrite"),
                    text(std::move(on_rewrite))}};
}

constexpr const char* info =
    "# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\n# Persistence\r\nloading:0\r\naof_enabled:1\r\n"
    "aof_last_write_status:ok\r\n# Memory\r\nmaxmemory:1000\r\nmaxmemory_policy:noeviction\r\n# Replication\r\n"
    "role:master\r\nconnected_slaves:2\r\nmaster_replid:new\r\nmaster_replid2:old\r\nmaster_repl_offset:500\r\n"
    "second_repl_offset:301\r\n# Cluster\r\ncluster_enabled:0\r\n";

server_facts good() {
  return *read_server_facts(text(info), config("always", "no"));
}

std::string objection(const server_facts& facts, durability level = durability::synced, bool cluster = false) {
  return objection_to(facts, level, cluster).value_or("");
}

TEST(server_facts, are_read_from_what_the_server_tells) {
  const server_facts facts = good();
  EXPECT_EQ(facts.version, "Redis 7.0.15");
  EXPECT_EQ(facts.role, "master");
  EXPECT_TRUE(facts.append_only);
  EXPECT_EQ(facts.append_sync, "always");
  EXPECT_EQ(facts.memory_limit, 1000u);
  EXPECT_EQ(facts.replicas, 2u);
  EXPECT_EQ(facts.history, "new");
  EXPECT_EQ(facts.history_before, "old");
  EXPECT_EQ(facts.offset, 500);
  EXPECT_EQ(facts.offset_shared, 301);
  EXPECT_FALSE(read_server_facts(text(""), config("always", "no")));
  EXPECT_FALSE(read_server_facts({}, {}));
  EXPECT_EQ(read_server_facts(text("redis_version:7.2.4\nvalkey_version:8.0.1\nrole:master"), {})->version,
            "Valkey 8.0.1");
}

TEST(server_facts, that_keep_the_level_are_good) {
  EXPECT_EQ(objection(good()), "");
  EXPECT_EQ(objection(good(), durability::written), "");
  EXPECT_EQ(objection(good(), durability::memory), "");
}

TEST(server_facts, that_do_not_tell_what_to_change) {
  const auto changed = [](auto change) {
    server_facts facts = good();
    change(facts);
    return facts;
  };
  const auto says = [](const server_facts& facts, durability level, const char* word) {
    EXPECT_NE(objection(facts, level).find(word), std::string::npos) << objection(facts, level);
  };
  for (const durability level : {durability::synced, durability::written, durability::memory}) {
    says(changed([](server_facts& f) { f.role = "slave"; }), level, "name the primary");
    says(changed([](server_facts& f) { f.is_loading = true; }), level, "loading");
    says(changed([](server_facts& f) { f.eviction = "allkeys-lru"; }), level, "set maxmemory-policy noeviction");
    says(changed([](server_facts& f) { f.is_cluster = true; }), level, "cluster: true");
  }
  const auto without_log = changed([](server_facts& f) { f.append_only = false; });
  says(without_log, durability::synced, "set appendonly yes");
  says(without_log, durability::written, "set appendonly yes");
  EXPECT_EQ(objection(without_log, durability::memory), "");
  says(changed([](server_facts& f) { f.append_failed = true; }), durability::written, "its log");
  const auto each_second = changed([](server_facts& f) { f.append_sync = "everysec"; });
  says(each_second, durability::synced, "set appendfsync always");
  EXPECT_EQ(objection(each_second, durability::written), "");
  says(changed([](server_facts& f) { f.append_sync = ""; }), durability::synced, "CONFIG GET");
  says(changed([](server_facts& f) { f.no_sync_on_rewrite = "yes"; }), durability::synced,
       "set no-appendfsync-on-rewrite no");
  EXPECT_NE(objection(good(), durability::synced, true), "");
}

TEST(succession, is_told_by_history_and_offset) {
  const server_facts now = good();
  EXPECT_EQ(succession_of({}, now), succession::first);
  EXPECT_EQ(succession_of({"new", 500}, now), succession::same);
  EXPECT_EQ(succession_of({"new", 501}, now), succession::lacking);
  EXPECT_EQ(succession_of({"old", 300}, now), succession::promoted);
  EXPECT_EQ(succession_of({"old", 301}, now), succession::lacking);
  EXPECT_EQ(succession_of({"other", 1}, now), succession::restarted);
  // The same process, which was a replica in between; and which was not.
  EXPECT_EQ(succession_of({"other", 1, "abc"}, now), succession::restarted);
  server_facts alone = now;
  alone.history_before = std::string(40, '0');
  EXPECT_EQ(succession_of({"other", 1, "abc"}, alone), succession::same);
  EXPECT_EQ(succession_of({"other", 1, "another"}, alone), succession::restarted);
}

TEST(succession_log, tells_of_what_takes_anothers_place_once) {
  const address first{"a", 1}, second{"b", 2};
  server_facts facts = good();
  succession_log log(false);
  facts.history = "old";
  facts.history_before = "";
  facts.offset = 100;
  EXPECT_FALSE(log.connected(first, facts));
  EXPECT_FALSE(log.connected(first, facts));
  log.acknowledged("old", 300);
  log.acknowledged("nobody's", 9'000);
  const auto promoted = log.connected(second, good());
  ASSERT_TRUE(promoted);
  EXPECT_FALSE(promoted->is_lacking);
  EXPECT_FALSE(log.connected(second, good()));
  log.acknowledged("new", 501);
  EXPECT_TRUE(log.connected(second, good())->is_lacking);
}

TEST(succession_log, keeps_the_nodes_of_a_cluster_apart) {
  succession_log log(true);
  server_facts left = good(), right = good();
  left.history = "left";
  right.history = "right";
  EXPECT_FALSE(log.connected({"a", 1}, left));
  EXPECT_FALSE(log.connected({"b", 1}, right));
  log.acknowledged("left", 900);
  server_facts heir = good();
  heir.history = "heir";
  heir.history_before = "left";
  heir.offset_shared = 900;
  const auto lacking = log.connected({"c", 1}, heir);
  ASSERT_TRUE(lacking);
  EXPECT_TRUE(lacking->is_lacking);
  EXPECT_FALSE(log.connected({"b", 1}, right));
}

TEST(server_error, says_what_to_do) {
  EXPECT_EQ(judge_error("NOSCRIPT No matching script.").what_to_do, remedy::send_text);
  EXPECT_EQ(judge_error("MOVED 1 a:1").what_to_do, remedy::follow);
  EXPECT_EQ(judge_error("ASK 1 a:1").what_to_do, remedy::follow);
  EXPECT_EQ(judge_error("TRYAGAIN Multiple keys").what_to_do, remedy::wait);
  EXPECT_EQ(judge_error("CLUSTERDOWN The cluster is down").what_to_do, remedy::look_again);
  EXPECT_EQ(judge_error("OOM command not allowed").reason, errc::full);
  EXPECT_EQ(judge_error("READONLY You can't write").what_to_do, remedy::reconnect);
  EXPECT_EQ(judge_error("LOADING Redis is loading").what_to_do, remedy::reconnect);
  EXPECT_EQ(judge_error("NOPERM this user has no permissions").what_to_do, remedy::reconnect);
  EXPECT_EQ(judge_error("ERR The user executing the script can't run this command or subcommand").what_to_do,
            remedy::reconnect);
  EXPECT_EQ(judge_error("MISCONF Errors writing").what_to_do, remedy::reconnect);
  EXPECT_EQ(judge_error("").what_to_do, remedy::refuse);
}

}  // namespace
}  // namespace onceward::redis
