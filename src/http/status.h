// Response statuses: what they say about a body, and their usual reasons.
#pragma once

#include <string_view>

namespace onceward::http {

inline constexpr int status_min = 100;
inline constexpr int status_max = 599;

// 1xx and 204 never have a body and may not declare one (RFC 9112 section 6.3).
constexpr bool forbids_body(int status) {
  return status < 200 || status == 204;
}

// The usual reason phrase of a status; empty for one that has none.
std::string_view reason_of(int status);

}  // namespace onceward::http
