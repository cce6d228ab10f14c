#include "open_store.h"

#include <chrono>
#include <filesystem>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "gateway/secret_file.h"
#include "stores/failover/guarded_store.h"
#include "stores/journal/journal.h"
#include "stores/journal/posix_disk.h"
#include "stores/memory/memory_store.h"
#include "stores/postgres/deployment_secret.h"
#include "stores/postgres/postgres_store.h"
#include "stores/redis/deployment_secret.h"
#include "stores/redis/redis_store.h"

namespace onceward::app {
namespace {

using failure = tl::unexpected<std::string>;

wall_time now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

// The secret that is kept with the records; made only where there are none yet that need another.
tl::expected<std::string, std::string> secret_beside(const std::string& path, bool has_records, gateway::logger& log) {
  std::error_code failed;
  if (has_records && !std::filesystem::exists(path, failed) && !failed) {
    return failure(
        fmt::format("{} is not there, and the records beside it can only be found with it: bring it back, or, "
                    "to give all these records up, start with another data directory",
                    path));
  }
  auto found = gateway::read_or_make_secret(path);
  if (!found) return failure(found.error());
  if (found->made) {
    log.warning("secret-made",
                {{"path", path},
                 {"meaning",
                  "keep this file with the records: with another secret no client's key finds its record, "
                  "and a retry would run again"}});
  }
  return std::move(found->bytes);
}

// Why the journal is not opened, and what to do about it.
std::string refusal(const std::string& path, const journal::open_error& why) {
  std::string message = fmt::format("cannot open the journal in {}: {}", path, why.message);
  if (why.reason == errc::corrupt) {
    message += fmt::format(
        "; `onceward verify {0}` says all that is damaged, and `onceward verify --repair {0}` makes a journal that "
        "opens out of what is not, keeping the old files",
        path);
  }
  return message;
}

tl::expected<opened_store, std::string> open(const gateway::settings& settings,
                                             const gateway::journal_store_settings& chosen, gateway::logger& log) {
  const bool synced = chosen.durability == gateway::durability::synced;
  journal::options options;
  options.level = synced ? journal::durability::synced : journal::durability::written;
  options.bytes_limit = chosen.bytes_limit;
  if (chosen.idle_workers_commit == gateway::idle_workers_commit::never) {
    options.by_idle_threads = journal::idle_commits::never;
  }
  options.on_failure = [&log](const std::string& what) {
    log.error("journal-failed", {{"reason", what}, {"meaning", "nothing is taken or acknowledged until a restart"}});
  };
  auto records = journal::journal::open(chosen.path, options, now);
  if (!records) return failure(refusal(chosen.path, records.error()));

  if (synced && journal::lies_in_memory(chosen.path)) {
    log.warning("journal-in-memory", {{"path", chosen.path},
                                      {"meaning",
                                       "its file system is in memory: records survive the process, and no power loss, "
                                       "whatever is synced; `durability: synced` needs a disk"}});
  }

  // Only now: who holds the journal is alone with what lies beside it.
  const bool has_records = (*records)->statistics().records > 0;
  const std::string place = settings.secret_file.value_or(chosen.path + "/secret");
  auto secret = settings.secret_file ? gateway::read_secret(place) : secret_beside(place, has_records, log);
  if (!secret) return failure(secret.error());
  if (const auto claimed = gateway::claim_directory(chosen.path, *secret, has_records); !claimed) {
    return failure(claimed.error());
  }
  return opened_store{std::move(*records), std::move(*secret),
                      fmt::format("journal in {}, {}", chosen.path, synced ? "synced" : "written"), place};
}

tl::expected<opened_store, std::string> open(const gateway::settings& settings,
                                             const gateway::memory_store_settings& chosen, gateway::logger&) {
  auto secret = settings.secret_file ? gateway::read_secret(*settings.secret_file)
                                     : tl::expected<std::string, std::string>(gateway::make_secret());
  if (!secret) return failure(secret.error());
  memory_store::options options;
  options.bytes_limit = chosen.bytes_limit;
  return opened_store{std::make_unique<memory_store::memory_store>(options, now), std::move(*secret), "memory",
                      settings.secret_file.value_or("made for this process")};
}

// Agrees on a secret with whoever else uses a shared store.
template <typename Agree>
tl::expected<std::string, std::string> shared_secret(const gateway::settings& settings, const std::string& place,
                                                     gateway::logger& log, Agree agree) {
  const auto from_file = settings.secret_file ? gateway::read_secret(*settings.secret_file)
                                              : tl::expected<std::string, std::string>(gateway::make_secret());
  if (!from_file) return failure(from_file.error());
  const std::string identity = gateway::identity_of_secret(*from_file);
  const auto agreed =
      agree(identity, settings.secret_file ? std::optional<std::string>() : std::optional<std::string>(*from_file));
  if (!agreed) return failure(agreed.error());
  if (agreed->identity == identity) {
    if (!settings.secret_file) {
      log.warning("secret-made", {{"path", place},
                                  {"meaning", fmt::format("every gateway on {0} uses it; who can read {0} can test "
                                                          "guesses of keys, unless `secret_file` names a file",
                                                          place)}});
    }
    return *from_file;
  }
  if (settings.secret_file) {
    return failure(
        fmt::format("{} is used with another secret than that in {}, and its records can only be "
                    "found with that one: give every gateway the same `secret_file`, or none",
                    place, *settings.secret_file));
  }
  if (!agreed->bytes) {
    return failure(fmt::format(
        "{} is used with a secret that is kept in a file: give this gateway the same `secret_file`", place));
  }
  return *agreed->bytes;
}

base::moment steady_now() {
  const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  return base::moment{std::chrono::duration_cast<base::moment::duration>(since_start)};
}

// What stands before a shared store.
std::unique_ptr<failover::guarded_store> make_guard(const gateway::failover_settings& chosen, gateway::logger& log) {
  failover::options options;
  options.loss_window = chosen.loss_window;
  options.restores = chosen.then == gateway::after_failover::unknown;
  options.now = steady_now;
  options.tell_lost = [&log](const record_key& key) { log.error("record-lost", {{"record", gateway::key_hash(key)}}); };
  return std::make_unique<failover::guarded_store>(std::move(options));
}

tl::expected<opened_store, std::string> open(const gateway::settings& settings,
                                             const gateway::postgres_store_settings& chosen, gateway::logger& log) {
  auto guard = make_guard(chosen.on_failover, log);
  postgres::options options;
  options.url = chosen.url;
  options.level = chosen.durability == gateway::shared_durability::synced ? postgres::durability::synced
                                                                          : postgres::durability::replicated;
  options.tell = [&log, &guarded = *guard](const postgres::event& what) {
    switch (what.what) {
      case postgres::event::kind::connected:
        return log.info("store-connected", {{"to", what.detail}});
      case postgres::event::kind::server_changed:
        log.warning("store-server-changed", {{"system", what.detail}});
        return guarded.server_changed();
      case postgres::event::kind::ready:
        return guarded.reconnected();
      case postgres::event::kind::lost:
        return log.error("store-lost", {{"reason", what.detail}});
    }
  };
  auto records = postgres::postgres_store::open(std::move(options));
  if (!records) return failure(records.error());
  const std::string place = "the database";
  auto secret = shared_secret(settings, place, log, [&](const auto& identity, const auto& bytes) {
    return postgres::agree_on_secret(chosen.url, identity, bytes);
  });
  if (!secret) return failure(secret.error());
  const std::string description = (*records)->description();
  guard->guard(*std::move(records));
  return opened_store{std::move(guard), std::move(*secret), description, settings.secret_file.value_or(place)};
}

redis::durability level_of(gateway::redis_durability chosen) {
  switch (chosen) {
    case gateway::redis_durability::synced:
      return redis::durability::synced;
    case gateway::redis_durability::written:
      return redis::durability::written;
    case gateway::redis_durability::memory:
      return redis::durability::memory;
  }
  return redis::durability::synced;
}

tl::expected<opened_store, std::string> open(const gateway::settings& settings,
                                             const gateway::redis_store_settings& chosen, gateway::logger& log) {
  auto guard = make_guard(chosen.on_failover, log);
  redis::options options;
  options.where = {.urls = chosen.urls,
                   .sentinel = chosen.sentinel.master,
                   .cluster = chosen.cluster,
                   .password_file = chosen.password_file,
                   .ca_file = chosen.ca_file};
  options.level = level_of(chosen.durability);
  options.wait_replicas = chosen.wait_replicas;
  options.tell = [&log, &guarded = *guard](const redis::event& what) {
    switch (what.what) {
      case redis::event::kind::connected:
        return log.info("store-connected", {{"to", what.detail}});
      case redis::event::kind::server_changed:
        log.warning("store-server-changed", {{"system", what.detail}});
        return guarded.server_changed();
      case redis::event::kind::ready:
        return guarded.reconnected();
      case redis::event::kind::lost:
        return log.error("store-lost", {{"reason", what.detail}});
    }
  };
  auto records = redis::redis_store::open(options);
  if (!records) return failure(records.error());
  const std::string place = "Redis";
  auto secret = shared_secret(settings, place, log, [&](const auto& identity, const auto& bytes) {
    auto agreed = redis::agree_on_secret(options, identity, bytes);
    if (agreed) (*records)->keep_secret(agreed->kept);
    return agreed;
  });
  if (!secret) return failure(secret.error());
  const std::string description = (*records)->description();
  guard->guard(*std::move(records));
  return opened_store{std::move(guard), std::move(*secret), description, settings.secret_file.value_or(place)};
}

}  // namespace

tl::expected<opened_store, std::string> open_store(const gateway::settings& settings, gateway::logger& log) {
  return std::visit([&](const auto& chosen) { return open(settings, chosen, log); }, settings.store);
}

}  // namespace onceward::app
