// What the program says when it ends; documented in its help.
#pragma once

namespace onceward::app {

inline constexpr int exit_good = 0;
inline constexpr int exit_failed = 1;         // It could not start, or could not go on.
inline constexpr int exit_misconfigured = 2;  // Command line or configuration file.

}  // namespace onceward::app
