// What was explored and what was found, as text for people.
#pragma once

#include <string>

#include "tests/model/search.h"

namespace onceward::model {

std::string describe(const scenario& what);
std::string describe(const search_result& what, const world& in);

}  // namespace onceward::model
