#include "migrate_store.h"

#include <cstdio>
#include <variant>

#include <fmt/format.h>

#include "exit_codes.h"
#include "load_settings.h"
#include "stores/postgres/migrate.h"

namespace onceward::app {

int migrate_store(const std::string& config_path) {
  run_options options;
  options.config = config_path;
  const auto loaded = load_settings(options);
  if (!loaded) return exit_misconfigured;
  const auto* chosen = std::get_if<gateway::postgres_store_settings>(&loaded->settings.store);
  if (chosen == nullptr) {
    fmt::print("{}: the store needs no migration\n", config_path);
    return exit_good;
  }
  const auto done = postgres::migrate(chosen->url);
  if (!done) {
    fmt::print(stderr, "onceward: {}\n", done.error());
    return exit_failed;
  }
  fmt::print("{}: the onceward schema {}\n", done->description, done->changed ? "was made" : "is up to date");
  return exit_good;
}

}  // namespace onceward::app
