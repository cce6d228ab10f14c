// Names the tests that GoogleTest makes of a table of cases after each case's member `name`.
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace onceward::http {

template <class Case>
std::string name_of_case(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

}  // namespace onceward::http
