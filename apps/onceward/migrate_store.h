// `onceward store migrate`: makes what the store of a configuration needs in its database.
#pragma once

#include <string>

namespace onceward::app {

// Returns the exit code of the program. May be run by many at once, and again.
int migrate_store(const std::string& config_path);

}  // namespace onceward::app
