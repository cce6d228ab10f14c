// What is wrong with a policy, for whoever wrote the configuration.
#pragma once

#include <string>

namespace onceward::core {

struct policy_error {
  std::string setting;  // As the configuration spells it, from the policy down: "key.pattern".
  std::string message;  // A sentence.
};

}  // namespace onceward::core
