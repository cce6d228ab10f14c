// Reads the rules of `defaults` and of each route, and what they contradict.
#pragma once

#include "gateway/config_reader.h"
#include "gateway/settings.h"

namespace onceward::gateway {

// Reads both into `into`, whose other settings have been read. Null where the file does not have them.
void read_rules(config_reader& reader, const config_entry* defaults, const config_entry* routes, settings& into);

}  // namespace onceward::gateway
