// The page that describes a type of problem: what its documents link to.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace onceward::gateway {

// Plain text; nothing for a word that names no type.
std::optional<std::string> problem_page(std::string_view word);

}  // namespace onceward::gateway
