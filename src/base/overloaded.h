// One function object out of several, to look at a variant: std::visit(overloaded{…}, value).
#pragma once

namespace onceward::base {

template <typename... Handlers>
struct overloaded : Handlers... {
  using Handlers::operator()...;
};

}  // namespace onceward::base
