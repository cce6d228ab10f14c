// Which known mistake is switched on. Included by the sources that tests/mutants/seed_mistakes writes, and by nothing
// that ships.
#pragma once

#include <string_view>

namespace onceward::mutants {

// At most one at a time; none at first.
void activate(std::string_view name);
bool is_active(std::string_view name);

}  // namespace onceward::mutants
