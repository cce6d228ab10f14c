#include "check_config.h"

#include <cstddef>
#include <cstdio>

#include <fmt/format.h>

#include "exit_codes.h"
#include "load_settings.h"

namespace onceward::app {

int check_config(const std::string& path) {
  run_options options;
  options.config = path;
  const auto loaded = load_settings(options);
  if (!loaded) return exit_misconfigured;
  for (const std::string& warning : loaded->warnings)
    fmt::print(stderr, "{}\n", warning);
  const std::size_t routes = loaded->settings.routes.size();
  fmt::print("{}: good, {} route{} and the defaults\n", path, routes, routes == 1 ? "" : "s");
  return exit_good;
}

}  // namespace onceward::app
