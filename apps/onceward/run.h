// `onceward run`: the gateway, from its configuration to its end.
#pragma once

#include "load_settings.h"

namespace onceward::app {

// Returns the exit code of the program when the gateway has stopped. The first SIGTERM or SIGINT drains it, the second
// stops it at once; SIGHUP is ignored.
int run(const run_options& options);

}  // namespace onceward::app
