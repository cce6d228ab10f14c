#include "gateway/config.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace onceward::gateway {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// One finding a line, as the command line prints them.
std::string findings_of(std::string_view text) {
  std::string all;
  for (const config_finding& one : read_configuration(text).findings)
    all += describe(one, "f") + "\n";
  return all;
}

settings read(std::string_view text) {
  const configuration done = read_configuration(text);
  for (const config_finding& one : done.findings)
    EXPECT_EQ(one.severity, config_severity::warning) << describe(one, "f") << "\n" << text;
  return done.settings;
}

core::policy first_route(std::string_view text) {
  const settings all = read(text);
  if (all.routes.empty()) {
    ADD_FAILURE() << "no route in: " << text;
    return {};
  }
  return all.routes.front().rules;
}

// A policy in which one key is given.
core::policy with_key(const std::string& key) {
  return read("defaults: { " + key + " }").defaults;
}

std::vector<std::size_t> numbers_of(const core::status_list& list) {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < list.numbers.size(); ++i) {
    if (list.numbers.test(i)) all.push_back(i);
  }
  return all;
}

TEST(config, of_nothing_is_the_defaults) {
  const settings all = read("");
  EXPECT_EQ(all.listen.host, "127.0.0.1");
  EXPECT_EQ(all.listen.port, 8080);
  EXPECT_EQ(all.admin->port, 9901);
  EXPECT_TRUE(all.upstreams.empty());
  EXPECT_TRUE(all.routes.empty());
  EXPECT_EQ(std::get<journal_store_settings>(all.store).path, "./data");
  EXPECT_EQ(std::get<journal_store_settings>(all.store).durability, durability::synced);
  EXPECT_EQ(std::get<journal_store_settings>(all.store).idle_workers_commit, idle_workers_commit::when_quick);
  EXPECT_EQ(all.defaults.wait, 10s);
  EXPECT_TRUE(all.defaults.outcomes.complete.classes.test(2));
}

TEST(config, reads_the_example_of_the_documentation) {
  std::ifstream file(ONCEWARD_SOURCE_DIR "/docs/configuration.md");
  std::stringstream page;
  page << file.rdbuf();
  constexpr std::string_view fence = "```yaml\n";
  const std::size_t begin = page.str().find(fence) + fence.size();
  const std::string text = page.str().substr(begin, page.str().find("```", begin) - begin);
  EXPECT_EQ(findings_of(text), "");
  const settings all = read(text);
  ASSERT_EQ(all.routes.size(), 1U);
  const route& one = all.routes.front();
  EXPECT_EQ(one.path, "/v1/payments/*");
  EXPECT_THAT(one.methods, ElementsAre("POST"));
  EXPECT_EQ(one.rules.name, "POST /v1/payments/*");
  EXPECT_EQ(one.rules.key.presence, core::key_presence::required);
  EXPECT_EQ(one.rules.key.pointer, "/idempotency_key");
  EXPECT_EQ(one.rules.fingerprint.body, core::body_recipe::json);
  EXPECT_THAT(one.rules.fingerprint.exclude, ElementsAre("/client_time"));
  EXPECT_EQ(one.rules.outcomes.release.level, core::rule_level::route);
  EXPECT_THAT(numbers_of(one.rules.outcomes.unknown), ElementsAre(502, 504));
}

TEST(config, reads_where_the_gateway_listens_and_forwards) {
  const settings all = read("listen: '[::1]:0'\nadmin: off\nupstream: [ 'http://a', 'http://b:81/' ]\n");
  EXPECT_EQ(all.listen.host, "::1");
  EXPECT_EQ(all.listen.port, 0);
  EXPECT_FALSE(all.admin);
  ASSERT_EQ(all.upstreams.size(), 2U);
  EXPECT_EQ(all.upstreams[1].host, "b");
  EXPECT_EQ(all.upstreams[1].port, 81);
  EXPECT_EQ(read("upstream: http://a").upstreams.size(), 1U);
}

TEST(config, reads_each_store) {
  EXPECT_TRUE(std::holds_alternative<memory_store_settings>(read("store: memory").store));
  EXPECT_TRUE(std::holds_alternative<journal_store_settings>(read("store: journal").store));
  EXPECT_EQ(std::get<memory_store_settings>(read("store: { memory: { bytes_limit: 2MiB } }").store).bytes_limit,
            2U << 20);
  const auto shared = std::get<postgres_store_settings>(
      read("store: { postgres: { url: 'postgres://pay@db:5432/payments?sslmode=require', durability: replicated, "
           "on_failover: { loss_window: 1m, then: trust } } }")
          .store);
  EXPECT_EQ(shared.url, "postgres://pay@db:5432/payments?sslmode=require");
  EXPECT_EQ(shared.durability, shared_durability::replicated);
  EXPECT_EQ(shared.on_failover.loss_window, 1min);
  EXPECT_EQ(shared.on_failover.then, after_failover::trust);
  const auto redis = std::get<redis_store_settings>(
      read("store: { redis: { url: [redis://pay@a, 'redis://pay@b:6380'], durability: memory, wait_replicas: 2, "
           "sentinel: { master: records-1 }, password_file: /run/password, on_failover: { loss_window: 2s } } }")
          .store);
  EXPECT_THAT(redis.urls, ElementsAre("redis://pay@a", "redis://pay@b:6380"));
  EXPECT_EQ(redis.durability, redis_durability::memory);
  EXPECT_EQ(redis.wait_replicas, 2U);
  EXPECT_EQ(redis.on_failover.loss_window, 2s);
  EXPECT_EQ(redis.sentinel.master, "records-1");
  EXPECT_EQ(redis.password_file, "/run/password");
  EXPECT_TRUE(
      std::get<redis_store_settings>(read("store: { redis: { url: rediss://a, cluster: true } }").store).cluster);
  const auto journal =
      std::get<journal_store_settings>(read("store: { journal: { path: /var/lib/x, durability: written, bytes_limit: "
                                            "1GiB, idle_workers_commit: never } }")
                                           .store);
  EXPECT_EQ(journal.path, "/var/lib/x");
  EXPECT_EQ(journal.durability, durability::written);
  EXPECT_EQ(journal.bytes_limit, 1U << 30);
  EXPECT_EQ(journal.idle_workers_commit, idle_workers_commit::never);
}

TEST(config, reads_what_holds_for_the_whole_gateway) {
  const settings all = read(
      "secret_file: /run/secret\nstatus_lookup: /_idem/\ntrusted_peers: [10.0.0.0/8, '::1']\nworkers: 3\n"
      "timeouts: { client_head: 1s, idle_reuse_max: 0, drain: 1m }\nlimits: { connections_max: 10, target_bytes_max: "
      "1KiB }\n"
      "health: { failures_to_eject: 1, ejected_for: 1s }\nlog: { level: debug, requests: true }\n");
  EXPECT_EQ(all.secret_file, "/run/secret");
  EXPECT_EQ(all.lookup_prefix, "/_idem/");
  EXPECT_THAT(all.trusted_peers, ElementsAre("10.0.0.0/8", "::1"));
  EXPECT_EQ(all.workers, 3U);
  EXPECT_EQ(all.timeouts.client_head, 1s);
  EXPECT_EQ(all.timeouts.idle_reuse_max, 0s);
  EXPECT_EQ(all.timeouts.drain, 1min);
  EXPECT_EQ(all.limits.connections_max, 10U);
  EXPECT_EQ(all.limits.target_bytes_max, 1024U);
  EXPECT_EQ(all.health.failures_to_eject, 1);
  EXPECT_EQ(all.log.level, log_level::debug);
  EXPECT_TRUE(all.log.requests);
  EXPECT_EQ(read("status_lookup: off").lookup_prefix, "");
}

TEST(config, reads_every_key_of_a_policy) {
  EXPECT_THAT(with_key("guarded_methods: [PUT, DELETE]").methods, ElementsAre("PUT", "DELETE"));
  EXPECT_EQ(with_key("key: { header: X-Key }").key.header, "X-Key");
  EXPECT_THAT(with_key("key: { aliases: X-Idempotency-Key }").key.aliases, ElementsAre("X-Idempotency-Key"));
  EXPECT_EQ(with_key("key: { pointer: /k }").key.pointer, "/k");
  EXPECT_EQ(with_key("key: { syntax: strict }").key.syntax, core::key_syntax::strict);
  EXPECT_EQ(with_key("key: { presence: forbidden }").key.presence, core::key_presence::forbidden);
  EXPECT_EQ(with_key("key: { format: uuid }").key.format, core::key_format::uuid);
  EXPECT_EQ(with_key("key: { pattern: '[a-z]+' }").key.pattern, "[a-z]+");
  EXPECT_EQ(with_key("key: { min_length: 16, max_length: 64 }").key.length_min, 16U);
  EXPECT_EQ(with_key("key: { min_length: 16, max_length: 64 }").key.length_max, 64U);
  EXPECT_EQ(with_key("key: { forward: quoted }").key.forwarding, core::key_forwarding::quoted);
  EXPECT_TRUE(with_key("key: { echo: true }").key.echo);
  EXPECT_EQ(with_key("operation: none").operation, core::operation_kind::none);
  EXPECT_FALSE(with_key("fingerprint: off").fingerprint.enabled);
  EXPECT_EQ(with_key("fingerprint: { body: form }").fingerprint.body, core::body_recipe::form);
  EXPECT_THAT(with_key("fingerprint: { headers: [] }").fingerprint.headers, IsEmpty());
  EXPECT_THAT(with_key("fingerprint: { body: json, include: [/a, /b~1c] }").fingerprint.include,
              ElementsAre("/a", "/b~1c"));
  EXPECT_EQ(with_key("wait: 0").wait, 0s);
  EXPECT_EQ(with_key("lease: 1m").lease, 1min);
  EXPECT_EQ(with_key("retention: 7d").retention, 168h);
  EXPECT_EQ(with_key("retention_tombstone: 30d").retention_tombstone, 720h);
  EXPECT_EQ(with_key("on_store_failure: pass").on_store_failure, core::store_failure_policy::pass);
  EXPECT_EQ(with_key("duplicate: conflict").duplicate, core::duplicate_policy::conflict);
  EXPECT_EQ(with_key("mismatch: 400").mismatch_status, 400);
  EXPECT_EQ(with_key("mismatch: new_operation").on_mismatch, core::mismatch_policy::new_operation);
  EXPECT_EQ(with_key("in_flight_status: 425").in_flight_status, 425);
  EXPECT_EQ(with_key("replay: { marker: X-Replayed }").replay.marker, "X-Replayed");
  EXPECT_THAT(with_key("replay: { drop: [] }").replay.dropped, IsEmpty());
  EXPECT_THAT(with_key("replay: { rename: [Date] }").replay.renamed, ElementsAre("Date"));
  EXPECT_TRUE(with_key("retry_hints: [x-should-retry]").retry_hints.should_retry);
  EXPECT_FALSE(with_key("retry_hints: [x-should-retry]").retry_hints.retry_after_ms);
  EXPECT_TRUE(with_key("prefer_live_response: true").prefer_live_response);
  EXPECT_EQ(with_key("limits: { request_body_bytes_max: 0 }").request_body_bytes_max, 0U);
  EXPECT_EQ(with_key("limits: { body_bytes_stored_max: 64KiB }").body_bytes_stored_max, 65'536U);
  EXPECT_FALSE(with_key("unguarded_upgrades: false").unguarded_upgrades);
}

TEST(config, reads_each_scope) {
  EXPECT_EQ(with_key("scope: shared").scope.kind, core::scope_kind::shared);
  EXPECT_EQ(with_key("scope: credential").scope.kind, core::scope_kind::credential);
  const auto own = with_key("scope: { credential: { headers: [X-Token], cookie: sid, required: true } }").scope;
  EXPECT_THAT(own.credential_headers, ElementsAre("X-Token"));
  EXPECT_EQ(own.cookie, "sid");
  EXPECT_TRUE(own.credential_required);
  const settings all = read("trusted_peers: [10.0.0.1]\ndefaults: { scope: { header: X-Tenant } }");
  EXPECT_EQ(all.defaults.scope.kind, core::scope_kind::header);
  EXPECT_EQ(all.defaults.scope.header, "X-Tenant");
}

TEST(config, reads_what_becomes_of_unknown_outcomes) {
  EXPECT_EQ(with_key("on_unknown: redispatch").on_unknown, core::unknown_policy::redispatch);
  const auto rules = with_key("on_unknown: { probe: { url: '/by/{key}?o={/order/id}', timeout: 1s, backoff: 50ms } }");
  EXPECT_EQ(rules.on_unknown, core::unknown_policy::probe);
  EXPECT_EQ(rules.probe.url, "/by/{key}?o={/order/id}");
  EXPECT_EQ(rules.probe.timeout, 1s);
  EXPECT_EQ(rules.probe.backoff, 50ms);
}

TEST(config, lets_a_list_of_statuses_replace_only_its_own) {
  const auto outcomes = with_key("outcomes: { release: [5xx, 404] }").outcomes;
  EXPECT_THAT(numbers_of(outcomes.release), ElementsAre(404));
  EXPECT_TRUE(outcomes.release.classes.test(5));
  EXPECT_EQ(outcomes.release.level, core::rule_level::defaults);
  EXPECT_EQ(outcomes.complete.level, core::rule_level::built_in);
  EXPECT_THAT(numbers_of(outcomes.unknown), ElementsAre(502, 504));
}

TEST(config, inherits_from_profile_then_defaults_then_route) {
  const std::string text =
      "defaults: { profile: stripe, wait: 3s, key: { header: X-Key, presence: required } }\n"
      "routes:\n"
      "  - match: { path: /a }\n"
      "  - match: { path: /b }\n"
      "    key: { presence: optional }\n"
      "    wait: 4s\n"
      "  - match: { path: /c }\n"
      "    profile: ietf\n";
  const settings all = read(text);
  ASSERT_EQ(all.routes.size(), 3U);
  const core::policy& a = all.routes[0].rules;
  EXPECT_EQ(a.operation, core::operation_kind::none);
  EXPECT_EQ(a.wait, 3s);
  EXPECT_EQ(a.key.header, "X-Key");
  const core::policy& b = all.routes[1].rules;
  EXPECT_EQ(b.wait, 4s);
  EXPECT_EQ(b.key.header, "X-Key");
  EXPECT_EQ(b.key.presence, core::key_presence::optional);
  const core::policy& c = all.routes[2].rules;
  EXPECT_EQ(c.key.syntax, core::key_syntax::strict);
  EXPECT_EQ(c.operation, core::operation_kind::path);
  EXPECT_EQ(c.wait, 3s) << "a key that is given wins over the profile";
}

TEST(config, guards_the_methods_that_a_route_matches) {
  EXPECT_THAT(first_route("routes: [ { match: { path: /a, methods: [GET, PUT] } } ]").methods, ElementsAre("PUT"));
  EXPECT_THAT(first_route("routes: [ { match: { path: /a } } ]").methods, ElementsAre("POST", "PATCH"));
  EXPECT_THAT(first_route("routes: [ { match: { path: /a, methods: [PUT, POST] }, guarded_methods: POST } ]").methods,
              ElementsAre("POST"));
}

TEST(config, names_routes) {
  EXPECT_EQ(first_route("routes: [ { match: { path: /a } } ]").name, "/a");
  EXPECT_EQ(first_route("routes: [ { match: { path: /a, methods: [PUT, POST] } } ]").name, "PUT,POST /a");
  EXPECT_EQ(first_route("routes: [ { name: charges, match: { path: /a } } ]").name, "charges");
}

// What is wrong, and what the author is told.
struct wrong_file {
  std::string_view text;
  std::string_view told;
};

constexpr wrong_file wrong_files[] = {
    // Keys.
    {"lisen: x", "f:1:1: error: unknown key `lisen`; did you mean `listen`?"},
    {"wait: 10s", "f:1:1: error: unknown key `wait`; it belongs under `defaults` or `routes`"},
    {"durability: synced",
     "f:1:1: error: unknown key `durability`; it belongs under `store.journal` or `store.postgres`"},
    {"store: { journal: { frobnicate: 1 } }",
     "f:1:21: error: unknown key `frobnicate`; known here: path, durability, bytes_limit, "
     "idle_workers_commit"},
    {"timeouts:\n  client_heed: 1s", "f:2:3: error: unknown key `client_heed`; did you mean `client_head`?"},
    {"workers: 1\nworkers: 2", "f:2:1: error: `workers` is given twice; first in line 1"},
    {"[a]", "f:1:1: error: `the configuration` must be a map, not a list"},
    // Types.
    {"listen: [a]", "f:1:9: error: `listen` must be one value, not a list"},
    {"listen:", "f:1:1: error: `listen` must be one value, not nothing"},
    {"timeouts: 10s", "f:1:11: error: `timeouts` must be a map, not one value"},
    {"routes: { match: { path: /a } }", "f:1:9: error: `routes` must be a list of maps, not a map"},
    {"routes: 5", "f:1:9: error: `routes` must be a list of maps, not one value"},
    {"routes: [ /a ]", "f:1:11: error: `a route` must be a map, not one value"},
    {"workers: many", "f:1:10: error: `workers` must be a whole number, not `many`"},
    {"workers: -1", "f:1:10: error: `workers` must be a whole number, not `-1`"},
    {"log: { requests: yes }", "f:1:18: error: `requests` must be true or false, not `yes`; did you mean `true`?"},
    {"log: { level: warn }", "f:1:15: error: `level` must be one of debug, info, warning, error, not `warn`"},
    {"trusted_peers: { a: b }", "f:1:16: error: `trusted_peers` must be a list, not a map"},
    // Ranges.
    {"workers: 1025", "f:1:10: error: `workers` must be from 0 to 1024, not 1025"},
    {"timeouts: { drain: 2h }", "f:1:20: error: `drain` must be from 0 to 1h, not 2h"},
    {"limits: { header_bytes_max: 2MiB }", "f:1:29: error: `header_bytes_max` must be from 256 to 1MiB, not 2MiB"},
    {"defaults: { lease: 0 }", "f:1:20: error: `lease` must be from 100ms to 1h, not 0"},
    {"defaults: { lease: 30 }",
     "f:1:20: error: `lease` must be a duration such as 250ms, 10s, 2m, 24h or 0, not `30`; did you mean `30s`?"},
    {"defaults: { key: { max_length: 2000 } }", "f:1:32: error: `max_length` must be from 1 to 1024, not 2000"},
    // Values.
    {"upstream: localhost:9000",
     "f:1:11: error: `upstream` must be a URL such as http://127.0.0.1:9000, not `localhost:9000`; did you mean "
     "`http://localhost:9000`?"},
    {"upstream: []", "f:1:11: error: `upstream` must have 1 to 256 URLs"},
    {"store: disk", "f:1:8: error: `store` must be one of journal, memory, not `disk`"},
    {"store: postgres://pay:hunter2@db/payments",
     "f:1:8: error: `store` needs a map for PostgreSQL: `store: { postgres: { url: … } }`"},
    {"store: {}", "f:1:8: error: `store` must have exactly one of `journal`, `memory`, `postgres` and `redis`"},
    {"store: { memory: {}, journal: {} }",
     "f:1:8: error: `store` must have exactly one of `journal`, `memory`, `postgres` and `redis`"},
    {"store: { postgres: {} }",
     "f:1:8: error: `store` needs `url`: `store: { postgres: { url: postgres://USER@HOST/DATABASE } }`"},
    {"store: { postgres: { url: 'pay:hunter2@db' } }",
     "f:1:27: error: `url` must be postgres://USER@HOST:PORT/DATABASE"},
    {"store: { postgres: { uri: postgres://db } }", "f:1:22: error: unknown key `uri`; did you mean `url`?"},
    {"store: { postgres: { url: postgres://db, durability: syncd } }",
     "f:1:54: error: `durability` must be one of synced, replicated, not `syncd`; did you mean `synced`?"},
    {"store: redis://pay:hunter2@db", "f:1:8: error: `store` needs a map for Redis: `store: { redis: { url: … } }`"},
    {"store: { redis: {} }", "f:1:8: error: `store` needs `url`: `store: { redis: { url: redis://USER@HOST } }`"},
    {"store: { redis: { url: [redis://a, 'pay:hunter2@db'] } }",
     "f:1:36: error: `url` must be redis://USER@HOST:PORT, or rediss:// for TLS"},
    {"store: { redis: { url: redis://a, durability: always } }",
     "f:1:47: error: `durability` must be one of synced, written, memory, not `always`"},
    {"store: { redis: { url: redis://a, wait_replicas: 17 } }",
     "f:1:50: error: `wait_replicas` must be from 0 to 16, not 17"},
    {"store: { redis: { url: redis://a, cluster: yes } }",
     "f:1:44: error: `cluster` must be true or false, not `yes`; did you mean `true`?"},
    {"store: { redis: { url: redis://a, sentinel: { master: 'a b' } } }",
     "f:1:55: error: `master` must be a name of letters, digits and `.-_`, not `a b`"},
    {"store: { redis: { url: redis://a, cluster: true, sentinel: { master: a } } }",
     "f:1:8: error: `store` has either `cluster` or `sentinel`"},
    {"store: { journal: { durability: memory } }",
     "f:1:33: error: `durability` of a journal is synced or written; did you mean `store: memory`?"},
    {"store: { journal: { path: '' } }", "f:1:27: error: `path` must be a path"},
    {"trusted_peers: [10.0.0.0/33]",
     "f:1:17: error: `trusted_peers` must be an address or a network such as 10.0.0.0/8, not `10.0.0.0/33`"},
    {"status_lookup: onceward",
     "f:1:16: error: `status_lookup` must be a path that begins and ends with a slash, such as /.onceward/, or off, "
     "not "
     "`onceward`"},
    {"defaults: { profile: strip }",
     "f:1:22: error: `profile` must be one of default, ietf, stripe, one-and-done, light-4j, not `strip`; did you mean "
     "`stripe`?"},
    {"defaults: { guarded_methods: [GET] }",
     "f:1:31: error: `guarded_methods` cannot be GET: only methods that change something are guarded"},
    {"defaults: { guarded_methods: [post] }",
     "f:1:31: error: `guarded_methods` must be a method as it is sent, not `post`; did you mean `POST`?"},
    {"defaults: { key: { header: Content-Length } }",
     "f:1:28: error: `header` cannot be `Content-Length`, which belongs to the connection and not to the request"},
    {"defaults: { key: { header: X_Key } }",
     "f:1:28: error: `header` cannot be `X_Key`: fields with an underscore in their name are taken out of requests"},
    {"defaults: { key: { header: 'X Key' } }",
     "f:1:28: error: `header` must be a field name such as Idempotency-Key, not `X Key`"},
    {"defaults: { key: { pointer: idempotency_key } }",
     "f:1:29: error: `pointer` must be a JSON pointer such as /payment/id, not `idempotency_key`; it begins with a "
     "slash"},
    {"defaults: { scope: jwt }", "f:1:20: error: `scope` must be one of credential, shared, header, not `jwt`"},
    {"defaults: { scope: header }",
     "f:1:20: error: `scope` needs the name of the header: `scope: { header: X-Tenant }`"},
    {"defaults: { scope: {} }", "f:1:20: error: `scope` must have exactly one of `header` and `credential`"},
    {"defaults: { scope: { shared: true } }", "f:1:22: error: unknown key `shared`; known here: header, credential"},
    {"defaults: { fingerprint: on }", "f:1:26: error: `fingerprint` must be off or a map, not `on`"},
    {"defaults: { outcomes: { release: [99] } }",
     "f:1:35: error: `release` must be a status such as 404 or a class such as 4xx, not `99`"},
    {"defaults: { outcomes: { release: [1xx] } }",
     "f:1:35: error: `release` must be a status such as 404 or a class such as 4xx, not `1xx`"},
    {"defaults: { on_unknown: retry }",
     "f:1:25: error: `on_unknown` must be one of refuse, redispatch, probe, not `retry`"},
    {"defaults: { on_unknown: { probe: { url: /status } } }",
     "f:1:41: error: `url` must be a path on the upstream that names the operation by {key} or {/pointer}, such as "
     "/v1/charges/by-key/{key}, not `/status`"},
    {"defaults: { mismatch: 500 }", "f:1:23: error: `mismatch` must be one of 422, 409, 400, new_operation, not `500`"},
    {"defaults: { retry_hints: [should-retry] }",
     "f:1:27: error: `retry_hints` must be one of x-should-retry, stripe-should-retry, retry-after-ms, not "
     "`should-retry`; "
     "did you mean `x-should-retry`?"},
    // Routes.
    {"routes: [ {} ]", "f:1:11: error: a route must say `match: { path: ... }`"},
    {"routes: [ { match: {} } ]", "f:1:13: error: `match` must say `path`"},
    {"routes: [ { match: { path: v1 } } ]",
     "f:1:28: error: `path` must begin with a slash, as in /v1/payments/*, not `v1`"},
    {"routes: [ { match: { path: /v1/x* } } ]",
     "f:1:28: error: `path` has `x*`, but `*` and `**` stand for whole segments, as in /v1/*/items"},
    {"routes: [ { match: { path: /a//b } } ]",
     "f:1:28: error: `path` matches nothing: paths like `/a//b` are ambiguous (empty-segment)"},
    {"routes: [ { match: { paht: /a } } ]",
     "f:1:13: error: `match` must say `path`\nf:1:22: error: unknown key `paht`; did you mean `path`?"},
    {"routes: [ { match: { path: /a, methods: [] } } ]",
     "f:1:41: error: `methods` must name a method, or be left out for all"},
    {"routes: [ { match: { path: /a }, methods: [PUT] } ]",
     "f:1:34: error: unknown key `methods`; it belongs under `routes.match`"},
    {"routes: [ { name: a, match: { path: /a } }, { name: a, match: { path: /b } } ]",
     "f:1:53: error: `name` is taken by the route in line 1"},
    {"routes: [ { name: default, match: { path: /a } } ]",
     "f:1:19: error: `name` cannot be `default`, which names the defaults"},
    {"routes:\n  - match: { path: /v1/** }\n  - match: { path: /v1/payments/* }",
     "f:3:5: error: this route can never match: the route in line 2 takes all its requests"},
    {"routes:\n  - match: { path: /a, methods: [POST, PUT] }\n  - match: { path: /a, methods: [PUT] }",
     "f:3:5: error: this route can never match: the route in line 2 takes all its requests"},
    {"routes:\n  - match: { path: /a, methods: [POST] }\n  - match: { path: /a, methods: [PUT] }\n"
     "  - match: { path: /a, methods: [POST, PUT] }",
     "f:4:5: error: this route can never match: the routes before it take all its requests"},
    // Contradictions.
    {"defaults: { scope: { header: X-Tenant } }",
     "f:1:30: error: `scope: { header: X-Tenant }` needs `trusted_peers`: otherwise any client could choose its scope"},
    {"defaults: { fingerprint: { exclude: [/a] } }", "f:1:37: error: `exclude` needs `body: json`"},
    {"defaults: { fingerprint: { body: form, include: [/a] } }", "f:1:49: error: `include` needs `body: json`"},
    {"defaults: { fingerprint: off, mismatch: new_operation }",
     "f:1:41: error: `mismatch: new_operation` needs a fingerprint, which is off"},
    {"defaults: { on_unknown: probe }",
     "f:1:25: error: `on_unknown: probe` needs `url`: `on_unknown: { probe: { url: /v1/charges/by-key/{key} } }`"},
    {"defaults: { on_unknown: { probe: { url: '/{key}', backoff: 10s } } }",
     "f:1:60: error: `backoff` is longer than `backoff_max`"},
    {"defaults: { key: { min_length: 20, max_length: 10 } }",
     "f:1:32: error: `min_length` is larger than `max_length`: no key could pass"},
};

TEST(config, tells_what_is_wrong_and_where) {
  for (const wrong_file& row : wrong_files)
    EXPECT_EQ(findings_of(row.text), std::string(row.told) + "\n") << row.text;
}

TEST(config, places_what_only_the_core_finds_wrong) {
  EXPECT_THAT(findings_of("defaults: { key: { pattern: '(' } }"), HasSubstr("f:1:29: error: `key.pattern`: "));
  EXPECT_THAT(findings_of("defaults: { outcomes: { complete: [5xx], release: [5xx] } }"),
              HasSubstr("f:1:23: error: `outcomes`: "));
}

TEST(config, tells_of_all_errors_at_once_in_the_order_of_the_file) {
  EXPECT_EQ(findings_of("routes:\n"
                        "  - match: { path: /a }\n"
                        "    wiat: 1s\n"
                        "    retention: forever\n"
                        "  - match: { path: b }\n"
                        "listen: nowhere\n"
                        "log: { level: loud }\n"),
            "f:3:5: error: unknown key `wiat`; did you mean `wait`?\n"
            "f:4:16: error: `retention` must be a duration such as 250ms, 10s, 2m, 24h or 0, not `forever`\n"
            "f:5:20: error: `path` must begin with a slash, as in /v1/payments/*, not `b`\n"
            "f:6:9: error: `listen` must be HOST:PORT such as 127.0.0.1:8080 or [::1]:8080, not `nowhere`\n"
            "f:7:15: error: `level` must be one of debug, info, warning, error, not `loud`\n");
}

TEST(config, tells_a_mistake_in_the_defaults_once) {
  EXPECT_EQ(
      findings_of("defaults: { on_unknown: probe }\n"
                  "routes: [ { match: { path: /a } }, { match: { path: /b } } ]\n"),
      "f:1:25: error: `on_unknown: probe` needs `url`: `on_unknown: { probe: { url: /v1/charges/by-key/{key} } }`\n");
}

TEST(config, warns_of_what_is_seldom_meant) {
  const wrong_file odd[] = {
      {"defaults: { on_unknown: redispatch }",
       "f:1:25: warning: `on_unknown: redispatch` runs the operation again: the upstream itself must deduplicate by "
       "the "
       "key"},
      {"defaults: { on_store_failure: pass }",
       "f:1:31: warning: `on_store_failure: pass` lets duplicates run while the store is down"},
      {"defaults: { lease: 1s }",
       "f:1:20: warning: a pause of this machine longer than 1s makes the outcomes of running requests unknown"},
      {"defaults: { retention: 2d, retention_tombstone: 1d }",
       "f:1:49: warning: `retention_tombstone` is shorter than `retention`, which counts"},
      {"defaults: { fingerprint: { headers: [traceparent] } }",
       "f:1:37: warning: Traceparent can differ between two tries of one request, which is then a mismatch"},
      {"defaults: { scope: { credential: { headers: [] } } }",
       "f:1:45: warning: `headers` is empty, so the `Cookie` field alone says who calls"},
      {"routes: [ { match: { path: /a }, operation: route } ]",
       "f:1:45: warning: under `operation: route` records belong to the route's name: give it a `name` that outlives "
       "its "
       "`match`"},
      {"routes: [ { match: { path: /a, methods: [GET] } } ]",
       "f:1:11: warning: this route guards nothing: none of the methods that it matches is guarded"},
  };
  for (const wrong_file& row : odd) {
    EXPECT_EQ(findings_of(row.text), std::string(row.told) + "\n") << row.text;
    EXPECT_FALSE(has_errors(read_configuration(row.text).findings));
  }
}

TEST(config, bounds_the_number_of_routes) {
  std::string text = "routes:\n";
  for (std::size_t i = 0; i < routes_max; ++i)
    text += "  - match: { path: /a" + std::to_string(i) + " }\n";
  EXPECT_EQ(findings_of(text), "");
  text += "  - match: { path: /b }\n";
  EXPECT_EQ(findings_of(text), "f:2:3: error: `routes` has 1001 items; at most 1000 are read\n");
}

TEST(config, checks_file_and_flags_together) {
  const auto told = [](const settings& all) {
    std::vector<std::string> texts;
    for (const config_finding& one : check_settings(all))
      texts.push_back(describe(one, "onceward"));
    return texts;
  };
  EXPECT_THAT(told(read("upstream: http://a")), IsEmpty());
  EXPECT_THAT(told(read("")),
              ElementsAre("onceward: error: there is no upstream: say `upstream: http://HOST:PORT` or --upstream"));
  EXPECT_THAT(told(read("listen: a:80\nupstream: http://a:80")),
              ElementsAre("onceward: error: `upstream` is where the gateway itself listens"));
  EXPECT_THAT(told(read("listen: localhost:80\nadmin: localhost:80\nupstream: http://a:80")),
              ElementsAre("onceward: error: `admin` and `listen` are the same"));
  EXPECT_THAT(told(read("admin: 0.0.0.0:9901\nupstream: http://a")),
              ElementsAre("onceward: warning: `admin` at 0.0.0.0:9901 asks nobody who they are: whoever reaches it can "
                          "resolve and purge records"));
  EXPECT_THAT(told(read("limits: { header_bytes_max: 1KiB }\nupstream: http://a")),
              ElementsAre(HasSubstr("`limits.target_bytes_max` is larger")));
  EXPECT_THAT(told(read("store: memory\nupstream: http://a")), ElementsAre(HasSubstr("warning: `store: memory`")));
}

TEST(config, shows_what_it_was_given_safely) {
  EXPECT_EQ(findings_of("workers: \"\\x1b[31m\""),
            "f:1:10: error: `workers` must be a whole number, not `\\x1b[31m`\n");
  EXPECT_EQ(in_quotes(std::string(100, 'a')), "`" + std::string(60, 'a') + "...`");
}

}  // namespace
}  // namespace onceward::gateway
