// The parser proper: takes a head that the scanner let through apart, into views. What the scanner promises is not
// looked at again (whole CRLF lines, no control character, a start line of the right shape); what the parts mean is
// head_rules'.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "http/errors.h"
#include "http/fields.h"
#include "http/head_scanner.h"
#include "http/request_head.h"
#include "http/response_head.h"

namespace onceward::http {

// Fills in method, verb, target, version_minor and ids, and `fields` (not head.fields). `input` and `marks` are what
// the scanner read and found.
std::optional<parse_error> parse_request_text(std::string_view input, const head_scanner::found& marks,
                                              request_head_view& head, std::vector<field_view>& fields);

// Fills in status, reason, version_minor and ids, and `fields`.
std::optional<parse_error> parse_response_text(std::string_view input, const head_scanner::found& marks,
                                               response_head_view& head, std::vector<field_view>& fields);

}  // namespace onceward::http
