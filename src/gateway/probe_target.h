// The target of a probe, from the route's template and the request that it is about.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace onceward::gateway {

// `{key}` becomes the key, `{/pointer}` a string or number of the JSON body; both percent-encoded but for unreserved
// characters (RFC 3986 section 2.3). Nothing where the body has no such value.
std::optional<std::string> expand_probe_target(std::string_view url, std::string_view key, std::string_view body);

}  // namespace onceward::gateway
