// What one set of rules contradicts, or says and seldom means, beyond what each key can tell by itself.
#pragma once

#include <string_view>

#include "core/policy.h"
#include "gateway/config_reader.h"
#include "gateway/settings.h"

namespace onceward::gateway {

// Where one set of rules was written: what the route says, below it the defaults.
struct rules_source {
  config_position where;                 // Of the whole, for what is written nowhere.
  const config_map* route = nullptr;     // Null for the defaults themselves.
  const config_map* defaults = nullptr;  // Null where there are none.
};

// Whether a map has a setting such as "key.pattern".
bool says(const config_map* map, std::string_view setting);

// Where a setting was written, or as much of it as was.
config_position place_of(const rules_source& source, std::string_view setting);

// `all` are the settings that hold for every route.
void check_rules(config_reader& reader, const rules_source& source, const core::policy& rules, const settings& all);

}  // namespace onceward::gateway
