#include <array>
#include <chrono>
#include <limits>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "gateway/config_checks.h"
#include "gateway/config_key_kinds.h"
#include "gateway/config_keys.h"

namespace onceward::gateway {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t upstreams_max = 256;
constexpr std::size_t redis_urls_max = 64;
constexpr std::size_t networks_max = 256;
constexpr std::uint64_t kibibyte = std::uint64_t{1} << 10;
constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;
constexpr std::uint64_t tebibyte = std::uint64_t{1} << 40;

constexpr word_table<durability, 2> durability_words{{"synced", "written"}, {durability::synced, durability::written}};
constexpr word_table<after_failover, 2> after_failover_words{{"unknown", "trust"},
                                                             {after_failover::unknown, after_failover::trust}};
constexpr word_table<idle_workers_commit, 2> idle_workers_commit_words{
    {"when_quick", "never"}, {idle_workers_commit::when_quick, idle_workers_commit::never}};
constexpr word_table<shared_durability, 2> shared_durability_words{
    {"synced", "replicated"}, {shared_durability::synced, shared_durability::replicated}};
constexpr word_table<redis_durability, 3> redis_durability_words{
    {"synced", "written", "memory"}, {redis_durability::synced, redis_durability::written, redis_durability::memory}};
constexpr word_table<log_level, 4> level_words{
    {"debug", "info", "warning", "error"}, {log_level::debug, log_level::info, log_level::warning, log_level::error}};

// A value with a language of its own.
template <typename T>
std::optional<T> read_parsed(config_reader& reader, std::string_view name, const config_node& node,
                             parsed<T> (*parse)(std::string_view)) {
  const std::string* text = reader.scalar(name, node, "one value");
  if (text == nullptr) return std::nullopt;
  parsed<T> value = parse(*text);
  if (value) return std::move(*value);
  reader.wrong(name, node, value.error());
  return std::nullopt;
}

bool is_off(const config_node& node) {
  const auto* text = std::get_if<config_scalar>(&node.value);
  return text != nullptr && text->text == "off";
}

config_key<settings> listen_key() {
  const host_and_port fallback = settings{}.listen;
  return {{"listen", "HOST:PORT", host_and_port_text(fallback.host, fallback.port),
           "Where clients come in. Port 0 lets the system choose."},
          [](config_reader& reader, const config_entry& entry, settings& into) {
            if (auto value = read_parsed(reader, entry.name, entry.node, parse_host_and_port)) into.listen = *value;
          }};
}

config_key<settings> admin_key() {
  const host_and_port fallback = *settings{}.admin;
  return {{"admin", "HOST:PORT or `off`", host_and_port_text(fallback.host, fallback.port),
           "Health, metrics and records. It asks nobody who they are: keep it where only operators reach it."},
          [](config_reader& reader, const config_entry& entry, settings& into) {
            if (is_off(entry.node)) {
              into.admin.reset();
            } else if (auto value = read_parsed(reader, entry.name, entry.node, parse_host_and_port)) {
              into.admin = *value;
            }
          }};
}

void read_upstreams(config_reader& reader, const config_entry& entry, settings& into) {
  const auto items = reader.items(entry.name, entry.node, "a URL or a list of URLs");
  if (!items) return;
  if (items->empty() || items->size() > upstreams_max) {
    return reader.wrong(entry.name, entry.node, fmt::format("must have 1 to {} URLs", upstreams_max));
  }
  into.upstreams.clear();
  for (const config_node& item : *items) {
    if (auto value = read_parsed(reader, entry.name, item, parse_upstream)) into.upstreams.push_back(*value);
  }
}

config_key<settings> upstream_key() {
  return {{"upstream", fmt::format("URL, or list of at most {}", upstreams_max), "none",
           "The servers behind, `http://HOST[:PORT]`. Has no default: it is given here or as `--upstream`."},
          read_upstreams};
}

config_key<journal_store_settings> durability_key() {
  auto key = word_key<journal_store_settings>(
      "durability", &journal_store_settings::durability, durability_words,
      "`synced`: records survive power loss. `written`: they survive the death of the process only.");
  key.read = [read = key.read](config_reader& reader, const config_entry& entry, journal_store_settings& into) {
    const auto* text = std::get_if<config_scalar>(&entry.node.value);
    if (text != nullptr && text->text == "memory") {
      return reader.wrong(entry.name, entry.node, "of a journal is synced or written; did you mean `store: memory`?");
    }
    read(reader, entry, into);
  };
  return key;
}

config_keys<journal_store_settings> journal_keys() {
  return {
      text_key<journal_store_settings>("path", &journal_store_settings::path, check_file_path, "path",
                                       "The data directory, made if it is not there. One process at a time."),
      durability_key(),
      bytes_key<journal_store_settings>("bytes_limit", &journal_store_settings::bytes_limit, 256 * mebibyte,
                                        1024 * tebibyte, "On disk: beyond it new claims get 503."),
      word_key<journal_store_settings>("idle_workers_commit", &journal_store_settings::idle_workers_commit,
                                       idle_workers_commit_words,
                                       "`when_quick`: a worker that has nothing else to do writes and syncs by "
                                       "itself, which takes less time and CPU, while the disk takes a millisecond at "
                                       "most and nine of ten requests are first executions, for it does nothing else "
                                       "meanwhile. `never`: a thread does it that does nothing else, so that a disk "
                                       "that hangs holds up only who needs a record."),
  };
}

config_keys<memory_store_settings> memory_keys() {
  return {bytes_key<memory_store_settings>("bytes_limit", &memory_store_settings::bytes_limit, mebibyte, tebibyte,
                                           "Beyond it new claims get 503.")};
}

config_keys<failover_settings> failover_keys() {
  using f = failover_settings;
  return {duration_key<f>("loss_window", &f::loss_window, 0ms, 1h,
                          "So far before a failover, records may have been acknowledged that the other server lacks. "
                          "100,000 of them are remembered at most."),
          word_key<f>("then", &f::then, after_failover_words,
                      "`unknown`: the records of that time are looked for at the other server, and what is missing "
                      "is unknown from then on. `trust`: it has them all.")};
}

config_keys<postgres_store_settings> postgres_keys() {
  using p = postgres_store_settings;
  auto url =
      text_key<p>("url", &p::url, check_postgres_url, "URL",
                  "`postgres://USER@HOST:PORT/DATABASE?sslmode=…`, as libpq reads it. A password is better left to "
                  "`PGPASSWORD` or a file that `PGPASSFILE` names.");
  url.about.fallback = "none";
  return {std::move(url),
          word_key<p>("durability", &p::durability, shared_durability_words,
                      "`synced`: records survive power loss of the server. `replicated`: they are on a synchronous "
                      "standby, too. A server that is not set up to keep it is refused."),
          section_key<p>("on_failover", &p::on_failover, failover_keys(),
                         "When another server answers than before: a standby that was promoted, a backup.")};
}

config_key<redis_store_settings> redis_url_key() {
  return {{"url", fmt::format("URL, or list of at most {}", redis_urls_max), "none",
           "`redis://USER@HOST:PORT/DATABASE`, or `rediss://` for TLS. Of several servers, the one is used that takes "
           "writes; those of a cluster, or the sentinels, tell of the others. A password is better left to "
           "`ONCEWARD_REDIS_PASSWORD` or `password_file`."},
          [](config_reader& reader, const config_entry& entry, redis_store_settings& into) {
            const auto items = reader.items(entry.name, entry.node, "a URL or a list of URLs");
            if (!items) return;
            if (items->empty() || items->size() > redis_urls_max) {
              return reader.wrong(entry.name, entry.node, fmt::format("must have 1 to {} URLs", redis_urls_max));
            }
            into.urls.clear();
            for (const config_node& item : *items) {
              if (auto url = reader.text(entry.name, item, check_redis_url)) into.urls.push_back(*std::move(url));
            }
          }};
}

config_keys<redis_store_settings> redis_keys() {
  using r = redis_store_settings;
  auto master = text_key<redis_sentinel_settings>("master", &redis_sentinel_settings::master, check_redis_master,
                                                  "name", "By which the sentinels know the primary.");
  master.about.fallback = "none";
  auto password_file =
      text_key<r>("password_file", &r::password_file, check_file_path, "path",
                  "The password, on its first line. Where neither it nor the URL has one, `ONCEWARD_REDIS_PASSWORD` or "
                  "`REDISCLI_AUTH` may.");
  password_file.about.fallback = "none";
  auto ca_file =
      text_key<r>("ca_file", &r::ca_file, check_file_path, "path", "Certificates that a TLS server is certified by.");
  ca_file.about.fallback = "those that the system trusts";
  return {redis_url_key(),
          word_key<r>("durability", &r::durability, redis_durability_words,
                      "`synced`: records survive power loss of the server. `written`: but for those of the last two "
                      "seconds. `memory`: they are lost with its process. A server that is not set up to keep it is "
                      "refused."),
          count_key<r>("wait_replicas", &r::wait_replicas, 0, 16,
                       "So many replicas have to have a change before it is acknowledged. A failover can lose it even "
                       "so."),
          section_key<r>("sentinel", &r::sentinel, config_keys<redis_sentinel_settings>{std::move(master)},
                         "The URLs are those of sentinels."),
          boolean_key<r>("cluster", &r::cluster, "The URLs are those of nodes of a cluster."),
          std::move(password_file),
          std::move(ca_file),
          section_key<r>("on_failover", &r::on_failover, failover_keys(),
                         "When another server answers than before, or one that began anew.")};
}

// Replaces the store as a whole.
void read_store(config_reader& reader, const config_entry& entry, settings& into) {
  constexpr std::array<std::string_view, 2> words{"journal", "memory"};
  if (const auto* text = std::get_if<config_scalar>(&entry.node.value)) {
    if (text->text.starts_with("postgres")) {
      return reader.wrong(entry.name, entry.node, "needs a map for PostgreSQL: `store: { postgres: { url: … } }`");
    }
    if (text->text.starts_with("redis")) {
      return reader.wrong(entry.name, entry.node, "needs a map for Redis: `store: { redis: { url: … } }`");
    }
    const auto index = reader.word(entry.name, entry.node, words);
    if (!index) return;
    into.store = *index == 0 ? store_settings{journal_store_settings{}} : store_settings{memory_store_settings{}};
    return;
  }
  const config_map* map = reader.map(entry.name, entry.node);
  if (map == nullptr) return;
  if (map->entries.size() != 1) {
    return reader.wrong(entry.name, entry.node, "must have exactly one of `journal`, `memory`, `postgres` and `redis`");
  }
  struct all_stores {
    journal_store_settings journal;
    memory_store_settings memory;
    postgres_store_settings postgres;
    redis_store_settings redis;
  } read;
  const config_keys<all_stores> keys{section_key<all_stores>("journal", &all_stores::journal, journal_keys(), ""),
                                     section_key<all_stores>("memory", &all_stores::memory, memory_keys(), ""),
                                     section_key<all_stores>("postgres", &all_stores::postgres, postgres_keys(), ""),
                                     section_key<all_stores>("redis", &all_stores::redis, redis_keys(), "")};
  const std::size_t errors_before = reader.errors();
  read_keys(reader, *map, keys, read);
  const std::string& chosen = map->entries.front().name;
  if (chosen == "memory") {
    into.store = read.memory;
  } else if (chosen == "postgres") {
    if (read.postgres.url.empty() && reader.errors() == errors_before) {
      reader.wrong(entry.name, entry.node,
                   "needs `url`: `store: { postgres: { url: postgres://USER@HOST/DATABASE } }`");
    }
    into.store = read.postgres;
  } else if (chosen == "redis") {
    if (read.redis.urls.empty() && reader.errors() == errors_before) {
      reader.wrong(entry.name, entry.node, "needs `url`: `store: { redis: { url: redis://USER@HOST } }`");
    }
    if (read.redis.cluster && !read.redis.sentinel.master.empty()) {
      reader.wrong(entry.name, entry.node, "has either `cluster` or `sentinel`");
    }
    into.store = read.redis;
  } else {
    into.store = read.journal;
  }
}

config_key<settings> store_key() {
  return {{"store",
           "`journal`, `memory` or map",
           "journal",
           "Where records are kept. `memory` forgets them when the process ends.",
           {{"journal", "map", "", "A log on this machine's disk.", descriptions_of(journal_keys())},
            {"memory", "map", "", "This process's memory.", descriptions_of(memory_keys())},
            {"postgres", "map", "", "A PostgreSQL database, which several gateways may share.",
             descriptions_of(postgres_keys())},
            {"redis", "map", "", "Redis or Valkey, which several gateways may share.", descriptions_of(redis_keys())}}},
          read_store};
}

config_key<settings> secret_file_key() {
  return {{"secret_file", "path", "made at first start",
           "64 hexadecimal digits, readable by the gateway only. Where it is not given, the secret is kept in the data "
           "directory or the database, or made anew at each start with `store: memory`."},
          [](config_reader& reader, const config_entry& entry, settings& into) {
            if (auto path = reader.text(entry.name, entry.node, check_file_path)) into.secret_file = std::move(*path);
          }};
}

config_key<settings> status_lookup_key() {
  return {{"status_lookup", "path prefix or `off`", settings{}.lookup_prefix,
           "Below it clients ask what became of a request."},
          [](config_reader& reader, const config_entry& entry, settings& into) {
            if (is_off(entry.node)) {
              into.lookup_prefix.clear();
            } else if (auto prefix = reader.text(entry.name, entry.node, check_path_prefix)) {
              into.lookup_prefix = std::move(*prefix);
            }
          }};
}

config_keys<timeout_settings> timeout_keys() {
  using t = timeout_settings;
  constexpr std::chrono::milliseconds day = 24h;
  return {
      duration_key<t>("client_head", &t::client_head, 1ms, 1h,
                      "From a message's first byte to the end of its head: 408."),
      duration_key<t>("client_body", &t::client_body, 1ms, 1h, "Between two pieces of a request's body: 408."),
      duration_key<t>("client_idle", &t::client_idle, 1ms, day, "Between two requests: the connection is closed."),
      duration_key<t>("client_write", &t::client_write, 1ms, 1h,
                      "A client that takes no byte of its response for so long: the connection is closed."),
      duration_key<t>("upstream_connect", &t::upstream_connect, 1ms, 1h, "502, the operation did not happen."),
      duration_key<t>("upstream_response", &t::upstream_response, 1ms, day,
                      "From a request's last byte to the response's head: 504, the outcome is unknown."),
      duration_key<t>("upstream_body", &t::upstream_body, 1ms, day,
                      "Between two pieces of a response's body: 504, the outcome is unknown."),
      duration_key<t>("upstream_idle", &t::upstream_idle, 1ms, day, "An unused connection to an upstream is closed."),
      duration_key<t>(
          "idle_reuse_max", &t::idle_reuse_max, 0ms, day,
          "One that was idle for longer does not carry a guarded request. Keep it below the idle timeout of "
          "the upstream."),
      duration_key<t>("tunnel_idle", &t::tunnel_idle, 1ms, day,
                      "An upgraded connection (WebSocket) on which no byte moves is closed."),
      duration_key<t>("drain", &t::drain, 0ms, 1h, "From SIGTERM to the end, whatever still runs."),
  };
}

config_keys<limit_settings> limit_keys() {
  using l = limit_settings;
  constexpr std::uint64_t many = 10'000'000;
  return {
      count_key<l>("connections_max", &l::connections_max, 1, 1'000'000, "Of clients: beyond it 503 and closed."),
      bytes_key<l>("target_bytes_max", &l::target_bytes_max, 64, 64 * kibibyte, "Of a request line: 414."),
      bytes_key<l>("header_bytes_max", &l::header_bytes_max, 256, mebibyte, "Of a request's whole head: 431."),
      count_key<l>("header_fields_max", &l::header_fields_max, 1, 10'000, "In a request: 431."),
      bytes_key<l>("unguarded_body_bytes_max", &l::unguarded_body_bytes_max, 0, 1024 * tebibyte,
                   "Of a request that is streamed: 413. For guarded ones see `limits` of a route."),
      count_key<l>("waiters_max", &l::waiters_max, 0, many, "Duplicates that wait at once: 409 beyond it."),
      count_key<l>("waiters_per_key_max", &l::waiters_per_key_max, 0, many, "... for one key."),
      count_key<l>("waiters_per_scope_max", &l::waiters_per_scope_max, 0, many, "... of one scope."),
      count_key<l>("upstream_connections_max", &l::upstream_connections_max, 1, 65'535,
                   "For each address and worker: beyond it requests queue."),
      count_key<l>("upstream_queue_max", &l::upstream_queue_max, 0, many, "Requests that queue: 503 beyond it."),
      count_key<l>("upstream_idle_max", &l::upstream_idle_max, 0, 65'535,
                   "Unused connections that are kept, for each address and worker."),
  };
}

config_keys<health_settings> health_keys() {
  using h = health_settings;
  return {
      count_key<h>("failures_to_eject", &h::failures_to_eject, 1, 1'000'000,
                   "Connects in a row that failed before an address is left out."),
      duration_key<h>("ejected_for", &h::ejected_for, 1ms, 1h, "How long it is left out."),
  };
}

config_keys<log_settings> log_keys() {
  using l = log_settings;
  return {
      word_key<l>("level", &l::level, level_words, "What is less than that is not logged."),
      boolean_key<l>("requests", &l::requests, "A line for each request."),
  };
}

key_description section_about(std::string name, std::string values, std::string meaning) {
  return {std::move(name), std::move(values), "", std::move(meaning)};
}

config_keys<settings> make_top_level_keys() {
  const auto later = [](config_reader&, const config_entry&, settings&) {};
  return {
      listen_key(),
      admin_key(),
      upstream_key(),
      store_key(),
      secret_file_key(),
      {section_about("defaults", "map",
                     "What holds for requests that no route matches, and for every route that does not "
                     "say otherwise."),
       later},
      {section_about("routes", "list of maps", "The first that matches a request decides."), later},
      status_lookup_key(),
      texts_key<settings>("trusted_peers", &settings::trusted_peers, check_network, networks_max,
                          "addresses and networks", "Who may set the field of `scope: { header: ... }`."),
      count_key<settings>("workers", &settings::workers, 0, 1024,
                          "Threads that serve requests. 0: one for each processor."),
      section_key<settings>("timeouts", &settings::timeouts, timeout_keys(), "How long anybody is waited for."),
      section_key<settings>("limits", &settings::limits, limit_keys(), "How much of anything there may be."),
      section_key<settings>("health", &settings::health, health_keys(), "When an upstream address is left out."),
      section_key<settings>("log", &settings::log, log_keys(), "What is written to standard error."),
  };
}

// `match` and `name`, which config_routes.cc reads.
config_keys<route> make_route_keys() {
  const auto later = [](config_reader&, const config_entry&, route&) {};
  return {
      {{"match",
        "map",
        "",
        "Which requests the route is for. Must be given.",
        {{"path",
          "path pattern",
          "none",
          "`*` stands for one segment, `**` for any number. Compared byte for byte. Must be given.",
          {}},
         {"methods", "list of methods", "all methods", "Only these.", {}}}},
       later},
      {{"name", "text", "methods and path",
        "Names the route in logs and metrics, and in its records under `operation: route`. No two are equal."},
       later},
  };
}

std::vector<key_description> make_reference() {
  const auto rules = descriptions_of(policy_keys());
  auto all = descriptions_of(top_level_keys());
  for (key_description& key : all) {
    if (key.name == "defaults") key.members = rules;
    if (key.name == "routes") {
      key.members = descriptions_of(route_keys());
      key.members.insert(key.members.end(), rules.begin(), rules.end());
    }
  }
  return all;
}

}  // namespace

const config_keys<settings>& top_level_keys() {
  static const config_keys<settings> keys = make_top_level_keys();
  return keys;
}

const config_keys<route>& route_keys() {
  static const config_keys<route> keys = make_route_keys();
  return keys;
}

const std::vector<key_description>& configuration_reference() {
  static const std::vector<key_description> all = make_reference();
  return all;
}

}  // namespace onceward::gateway
