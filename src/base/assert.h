// Assertions that stay on in release. They state what must hold if the program is right, never what a peer, a store or
// a file should have sent: input that breaks a rule is an error value.
#pragma once

namespace onceward::base {

// Says so on standard error and aborts.
[[noreturn]] [[gnu::cold]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace onceward::base

#define onceward_assert(condition) \
  (static_cast<bool>(condition) ? void(0) : ::onceward::base::assertion_failed(#condition, __FILE__, __LINE__))

// For a place that the program cannot come to if it is right.
#define onceward_unreachable(why) ::onceward::base::assertion_failed(why, __FILE__, __LINE__)
