// The settings of a run: the file, what the command line changes, and everything that is wrong with the two together.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/settings.h"

namespace onceward::app {

// What the command line says; it beats the file, except that `data` does not replace a store that others share.
struct run_options {
  std::optional<std::string> config;
  std::optional<std::string> listen;
  std::vector<std::string> upstreams;
  std::optional<std::string> data;
  std::optional<std::string> admin;
};

struct loaded_settings {
  gateway::settings settings;
  std::vector<std::string> warnings;  // One line each, with their place.
};

// Nothing if there are errors: all of them, and the warnings, have been written to standard error.
std::optional<loaded_settings> load_settings(const run_options& options);

}  // namespace onceward::app
