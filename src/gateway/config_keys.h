// Every key of the configuration file. The tables are the one place where a key has its name, its range, its default
// and its meaning; reading and the reference in docs/configuration.md both come from them.
#pragma once

#include "gateway/config_reader.h"
#include "gateway/settings.h"

namespace onceward::gateway {

// Of the file, but for `defaults` and `routes`, which config.cc reads when it knows the rest.
const config_keys<settings>& top_level_keys();

// What `defaults` and every route may say; `profile`, which comes before all others, is listed and not read.
const config_keys<core::policy>& policy_keys();

// What a route may say beside that.
const config_keys<route>& route_keys();

// The whole file.
const std::vector<key_description>& configuration_reference();

}  // namespace onceward::gateway
