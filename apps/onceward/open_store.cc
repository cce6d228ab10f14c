#include "open_store.h"

#include <chrono>
#include <filesystem>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "gateway/secret_file.h"
#include "stores/journal/journal.h"
#include "stores/memory/memory_store.h"

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

tl::expected<opened_store, std::string> open(const gateway::settings& settings,
                                             const gateway::journal_store_settings& chosen, gateway::logger& log) {
  const bool synced = chosen.durability == gateway::durability::synced;
  journal::options options;
  options.level = synced ? journal::durability::synced : journal::durability::written;
  options.bytes_limit = chosen.bytes_limit;
  auto records = journal::journal::open(chosen.path, options, now);
  if (!records) return failure(fmt::format("cannot open the journal in {}: {}", chosen.path, records.error().message));

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

}  // namespace

tl::expected<opened_store, std::string> open_store(const gateway::settings& settings, gateway::logger& log) {
  return std::visit([&](const auto& chosen) { return open(settings, chosen, log); }, settings.store);
}

}  // namespace onceward::app
