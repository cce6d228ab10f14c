#include "stores/redis/server_facts.h"

#include <charconv>
#include <map>

namespace onceward::redis {
namespace {

std::map<std::string_view, std::string_view> lines_of(std::string_view text) {
  std::map<std::string_view, std::string_view> lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || line.starts_with('#')) continue;
    std::string_view rest = line.substr(colon + 1);
    if (rest.ends_with('\r')) rest.remove_suffix(1);
    lines.emplace(line.substr(0, colon), rest);
  }
  return lines;
}

template <typename Number>
Number number_in(std::string_view text, Number fallback) {
  Number number{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc{} && end == text.data() + text.size() ? number : fallback;
}

std::string setting(const value& config, std::string_view name) {
  if (!config.is(value::kind::list)) return {};
  for (std::size_t i = 0; i + 1 < config.items.size(); i += 2) {
    if (config.items[i].text == name) return config.items[i + 1].text;
  }
  return {};
}

}  // namespace

std::string_view to_string(durability level) {
  switch (level) {
    case durability::synced:
      return "synced";
    case durability::written:
      return "written";
    case durability::memory:
      return "memory";
  }
  return {};
}

std::optional<server_facts> read_server_facts(const value& info, const value& config) {
  auto lines = lines_of(info.text);
  const auto text = [&lines](std::string_view name) { return std::string(lines[name]); };
  const std::string version =
      lines.contains("valkey_version") ? "Valkey " + text("valkey_version") : "Redis " + text("redis_version");
  if (!lines.contains("redis_version") || !lines.contains("role")) return std::nullopt;
  return server_facts{
      .version = version,
      .run_id = text("run_id"),
      .role = text("role"),
      .is_cluster = lines["cluster_enabled"] == "1",
      .is_loading = lines["loading"] == "1",
      .append_only = lines["aof_enabled"] == "1",
      .append_failed = lines.contains("aof_last_write_status") && lines["aof_last_write_status"] != "ok",
      .append_sync = setting(config, "appendfsync"),
      .no_sync_on_rewrite = setting(config, "no-appendfsync-on-rewrite"),
      .eviction = text("maxmemory_policy"),
      .memory_limit = number_in<std::uint64_t>(lines["maxmemory"], 0),
      .replicas = number_in<std::uint64_t>(lines["connected_slaves"], 0),
      .history = text("master_replid"),
      .history_before = text("master_replid2"),
      .offset = number_in<std::int64_t>(lines["master_repl_offset"], 0),
      .offset_shared = number_in<std::int64_t>(lines["second_repl_offset"], -1)};
}

std::optional<std::string> objection_to(const server_facts& facts, durability level, bool cluster_expected) {
  if (facts.is_loading) return "the server is still loading its data";
  if (facts.role != "master") {
    return "the server is a replica, which takes no writes: name the primary in `url`, or let sentinels name it with "
           "`sentinel: { master: NAME }`";
  }
  if (facts.is_cluster != cluster_expected) {
    return facts.is_cluster ? "the server is a node of a cluster: set `cluster: true`"
                            : "`cluster: true`, and the server is not a node of a cluster: leave it out";
  }
  if (facts.eviction != "noeviction") {
    return "the server would delete records to make room (maxmemory-policy = " + facts.eviction +
           "): set maxmemory-policy noeviction";
  }
  if (level == durability::memory) return std::nullopt;
  if (!facts.append_only) {
    return "`durability: " + std::string(to_string(level)) +
           "` needs the append-only file, and the server has none: set appendonly yes";
  }
  if (facts.append_failed) return "the server cannot write its append-only file: see its log";
  if (level == durability::written) return std::nullopt;
  if (facts.append_sync.empty()) {
    return "the server does not tell whether it syncs its append-only file: let the user run CONFIG GET, or use "
           "`durability: written`";
  }
  if (facts.append_sync != "always") {
    return "`durability: synced` needs appendfsync always, and it is " + facts.append_sync +
           ": set appendfsync always, or use `durability: written`";
  }
  if (facts.no_sync_on_rewrite != "no") {
    return "the server does not sync while it rewrites its append-only file: set no-appendfsync-on-rewrite no";
  }
  return std::nullopt;
}

succession succession_of(const known_history& before, const server_facts& now) {
  if (before.id.empty()) return succession::first;
  if (now.history == before.id) return now.offset >= before.offset ? succession::same : succession::lacking;
  if (now.history_before == before.id) {
    // A replica that was promoted begins its own history at the offset up to which it had read the other's.
    return now.offset_shared > before.offset ? succession::promoted : succession::lacking;
  }
  // A process that has had no replica for long begins another history with the same data, and none before it. One that
  // was a replica in between has had one.
  const bool has_predecessor = now.history_before.find_first_not_of('0') != std::string::npos;
  if (now.run_id == before.run_id && !has_predecessor) return succession::same;
  return succession::restarted;
}

}  // namespace onceward::redis
