// What the fields of a head say together: the rules behind the parser. Connection, Host, Expect and the framing are
// decided here, once, and the answers are members of the head.
#pragma once

#include <optional>

#include "http/errors.h"
#include "http/method.h"
#include "http/request_head.h"
#include "http/response_head.h"

namespace onceward::http {

// Completes a head whose start line and fields are set, or says which rule it breaks.
std::optional<parse_error> apply_request_rules(request_head_view& head);
std::optional<parse_error> apply_response_rules(response_head_view& head, method_id request_method);

}  // namespace onceward::http
