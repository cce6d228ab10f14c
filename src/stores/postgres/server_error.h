// What an error of the server means for the commands of the batch in which it came, all of which were rolled back.
#pragma once

#include <string_view>

#include "onceward/result.h"

namespace onceward::postgres {

enum class remedy {
  send_again,  // It was bad luck (a deadlock, a serialisation failure, another's lock).
  add_day,     // The day on which the response expires has no partition yet.
  refuse,      // The command cannot be carried out now.
  reconnect,   // Nor can any other on this connection: the server is read-only, or ends.
};

struct server_error {
  remedy what_to_do;
  errc reason;
};

// `state` is the five characters of SQLSTATE; empty where libpq itself made the error.
server_error judge_error(std::string_view state);

// A commit that is in the log of this server, and was not acknowledged by the standby that it had to wait for: its
// effect is indefinite although the server reports success.
// `raised_in` is the function of the server's that warned, as the warning says it; empty where it does not.
bool is_unacknowledged_commit(std::string_view warning_state, std::string_view raised_in);

}  // namespace onceward::postgres
