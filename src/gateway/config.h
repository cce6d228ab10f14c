// The configuration file: YAML in, settings out, with everything that is wrong or odd about it.
//
// All keys have defaults, so an empty text is a configuration; only an upstream must be given somewhere. docs/
// configuration.md lists the keys.
#pragma once

#include <string_view>

#include "gateway/config_finding.h"
#include "gateway/settings.h"

namespace onceward::gateway {

inline constexpr std::size_t routes_max = 1000;

struct configuration {
  gateway::settings settings;  // As far as it could be read; not to be used if there are errors.
  config_findings findings;    // In the order of the file.
};

// Never fails otherwise than by findings, whatever the text is.
configuration read_configuration(std::string_view text);

// What only shows when file and command line are put together. Findings without a position.
config_findings check_settings(const settings& complete);

}  // namespace onceward::gateway
