// What an error of the server means for the command that it answers.
#pragma once

#include <string_view>

#include "onceward/result.h"

namespace onceward::redis {

enum class remedy {
  send_text,   // It does not know the script: send it along.
  follow,      // The key is at another node, which the error names.
  wait,        // It is on its way between two nodes: send again a little later.
  look_again,  // The node is none of the cluster's, or the cluster is not whole: ask who has the slot.
  refuse,      // The command cannot be carried out now.
  reconnect,   // Nor can any other, and the operator is to know: it is a replica now, it cannot write its log.
};

struct server_error {
  remedy what_to_do;
  errc reason;
};

// In each case the command had no effect.
server_error judge_error(std::string_view text);

}  // namespace onceward::redis
