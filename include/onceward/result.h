// Errors as values. Every function of onceward that can fail for a reason outside the program returns a result;
// exceptions do not cross a public call, and a broken promise inside the program is an assertion, not an error.
#pragma once

#include <string_view>

#include <tl/expected.hpp>

namespace onceward {

// The reasons a caller may act on. What a person needs to mend (a path, a line, a limit) is logged or returned beside
// it.
enum class errc {
  invalid,      // The argument or input breaks its own format.
  not_found,    // What was named does not exist.
  too_large,    // A published limit was exceeded.
  full,         // No space: nothing was kept, and nothing was lost.
  busy,         // Somebody else holds it.
  corrupt,      // Stored bytes fail their checksum or contradict themselves.
  version,      // Stored bytes of a version that this build does not read.
  io,           // The operating system reported an error.
  unavailable,  // A peer or a store cannot be reached now.
  timeout,      // No answer within the deadline.
  closed,       // The store or the service was shut down.
};

// A stable word for logs and messages.
constexpr std::string_view to_string(errc reason) {
  switch (reason) {
    case errc::invalid:
      return "invalid";
    case errc::not_found:
      return "not found";
    case errc::too_large:
      return "too large";
    case errc::full:
      return "full";
    case errc::busy:
      return "busy";
    case errc::corrupt:
      return "corrupt";
    case errc::version:
      return "unsupported version";
    case errc::io:
      return "input/output error";
    case errc::unavailable:
      return "unavailable";
    case errc::timeout:
      return "timed out";
    case errc::closed:
      return "closed";
  }
  return "invalid";
}

template <typename T>
using result = tl::expected<T, errc>;

}  // namespace onceward
