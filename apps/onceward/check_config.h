// `onceward check-config`: what `onceward run` would say of a configuration file, without running it.
#pragma once

#include <string>

namespace onceward::app {

// Returns the exit code of the program.
int check_config(const std::string& path);

}  // namespace onceward::app
